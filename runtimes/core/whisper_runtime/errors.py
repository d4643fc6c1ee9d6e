"""Every way in which a request can fail, and the one body that all of them answer with.

RequestFailure
├── InvalidRequest      400  an option is wrong, or its combination is
│   ├── AudioEmpty           there is no audio in the request
│   └── UnsupportedTask      the model was not trained for it
├── ModelNotFound       404  no model of that name is served here
├── UploadTimeout       408  the upload stalled
├── AudioTooLarge       413  more bytes than allowed
├── AudioTooLong        413  more decoded seconds than allowed
├── UnsupportedAudio    415  not audio as far as we can tell
├── UndecodableAudio    422  audio, but broken
├── EngineError         500  the engine failed
├── Unavailable         503  not now; says when to come back
│   ├── Loading
│   ├── QueueFull
│   └── Draining
└── DeadlineExceeded    504  it took longer than allowed
"""

from __future__ import annotations


class RequestFailure(Exception):
    """A failure with its HTTP status, its code and, where one option is at fault, that option's name."""

    status: int = 500
    code: str = "engine_error"

    def __init__(self, message: str, *, param: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after

    @property
    def permanent(self) -> bool:
        """Whether the same request would fail again, so that clients need not retry it."""
        return 400 <= self.status < 500 and self.status != 408  # noqa: PLR2004 - the classes of HTTP statuses

    def body(self, request_id: str, service: str) -> dict[str, object]:
        """The contract's error body; its inner part is the one that OpenAI's clients read."""
        kind = "invalid_request_error" if self.permanent else "server_error"
        error = {"message": self.message, "type": kind, "code": self.code, "param": self.param}
        return {"error": error, "request_id": request_id, "service": service}

    def headers(self) -> dict[str, str]:
        """What tells a client or the router whether and when to try again."""
        if self.permanent:
            return {"x-should-retry": "false"}
        if self.retry_after is None:
            return {}
        return {
            "retry-after": str(max(1, -int(-self.retry_after // 1))),
            "retry-after-ms": str(max(1, round(self.retry_after * 1000))),
        }


class InvalidRequest(RequestFailure):
    status, code = 400, "invalid_request"


class AudioEmpty(InvalidRequest):
    code = "audio_empty"


class UnsupportedTask(InvalidRequest):
    code = "unsupported_task"


class ModelNotFound(RequestFailure):
    status, code = 404, "model_not_found"


class UploadTimeout(RequestFailure):
    status, code = 408, "upload_timeout"


class AudioTooLarge(RequestFailure):
    status, code = 413, "audio_too_large"


class AudioTooLong(RequestFailure):
    status, code = 413, "audio_too_long"


class UnsupportedAudio(RequestFailure):
    status, code = 415, "unsupported_audio"


class UndecodableAudio(RequestFailure):
    status, code = 422, "undecodable_audio"


class EngineError(RequestFailure):
    status, code = 500, "engine_error"


class Unavailable(RequestFailure):
    status = 503


class Loading(Unavailable):
    code = "loading"


class QueueFull(Unavailable):
    code = "queue_full"


class Draining(Unavailable):
    code = "draining"


class DeadlineExceeded(RequestFailure):
    status, code = 504, "deadline_exceeded"
