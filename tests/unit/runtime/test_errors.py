"""The one error body."""

import pytest
from whisper_runtime import errors


def leaves(kind: type[errors.RequestFailure]) -> list[type[errors.RequestFailure]]:
    return [kind, *(leaf for sub in kind.__subclasses__() for leaf in leaves(sub))]


CONTRACT = {
    "invalid_request": 400,
    "audio_empty": 400,
    "unsupported_task": 400,
    "model_not_found": 404,
    "job_not_found": 404,
    "upload_timeout": 408,
    "audio_too_large": 413,
    "audio_too_long": 413,
    "unsupported_audio": 415,
    "unsupported_here": 421,
    "undecodable_audio": 422,
    "engine_error": 500,
    "loading": 503,
    "compiling": 503,
    "queue_full": 503,
    "draining": 503,
    "device_lost": 503,
    "deadline_exceeded": 504,
}


def test_codes_and_statuses_are_the_contracts() -> None:
    shipped = {
        kind.code: kind.status
        for kind in leaves(errors.RequestFailure)
        if kind.__module__ == errors.__name__ and kind not in (errors.RequestFailure, errors.Unavailable)
    }
    assert shipped == CONTRACT


def test_the_body_has_what_openai_clients_and_ours_read() -> None:
    body = errors.ModelNotFound("no such model", param="model").body("id-1", "whisper-cpu")
    assert body == {
        "error": {
            "message": "no such model",
            "type": "invalid_request_error",
            "code": "model_not_found",
            "param": "model",
        },
        "request_id": "id-1",
        "service": "whisper-cpu",
    }


@pytest.mark.parametrize("kind", [errors.UploadTimeout, errors.EngineError, errors.QueueFull, errors.DeadlineExceeded])
def test_what_may_pass_is_not_marked_as_final(kind: type[errors.RequestFailure]) -> None:
    assert "x-should-retry" not in kind("later").headers()


@pytest.mark.parametrize("kind", [errors.InvalidRequest, errors.AudioTooLarge, errors.UndecodableAudio])
def test_what_fails_every_time_tells_clients_not_to_retry(kind: type[errors.RequestFailure]) -> None:
    assert kind("no").headers() == {"x-should-retry": "false"}
