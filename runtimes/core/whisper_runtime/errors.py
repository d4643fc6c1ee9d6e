"""Every way in which a request can fail, and the one body that all of them answer with.

RequestFailure
├── InvalidRequest      400  an option is wrong, or its combination is
│   ├── AudioEmpty           there is no audio in the request
│   └── UnsupportedTask      the model was not trained for it
├── ModelNotFound       404  no model of that name is served here
├── JobNotFound         404  no job of that id is known here
├── UploadTimeout       408  the upload stalled
├── AudioTooLarge       413  more bytes than allowed
├── AudioTooLong        413  more decoded seconds than allowed
├── UnsupportedAudio    415  not audio as far as we can tell
├── UnsupportedHere     421  only other runtimes can do it
├── UndecodableAudio    422  audio, but broken
├── EngineError         500  the engine failed
├── Unavailable         503  not now; says when to come back
│   ├── Loading
│   │   └── Compiling         the model is being fitted to its device, which may take minutes
│   ├── QueueFull
│   │   └── NoMemory          there was room in the queue, but not in memory
│   ├── Draining
│   └── DeviceLost           the device, or what works on it, does not come back before a restart
└── DeadlineExceeded    504  it took longer than allowed
"""

from __future__ import annotations

_CALLERS_FAULT = 4
_WORTH_RETRYING = frozenset({408, 429})


class RequestFailure(Exception):  # noqa: N818 - its leaves are named by what happened
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
        return self.status // 100 == _CALLERS_FAULT and self.status not in _WORTH_RETRYING

    def detail(self) -> dict[str, str | None]:
        """What was wrong, as OpenAI's clients read it."""
        kind = "invalid_request_error" if self.permanent else "server_error"
        return {"message": self.message, "type": kind, "code": self.code, "param": self.param}

    def body(self, request_id: str, service: str) -> dict[str, object]:
        """The contract's error body."""
        return {"error": self.detail(), "request_id": request_id, "service": service}

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
    """An option is wrong, or a combination of them is."""

    status, code = 400, "invalid_request"


class AudioEmpty(InvalidRequest):
    """There is no audio in the request."""

    code = "audio_empty"


class UnsupportedTask(InvalidRequest):
    """The model was not trained for it."""

    code = "unsupported_task"


class ModelNotFound(RequestFailure):
    """No model of that name is served here."""

    status, code = 404, "model_not_found"


class JobNotFound(RequestFailure):
    """No job of that id is known here."""

    status, code = 404, "job_not_found"


class UploadTimeout(RequestFailure):
    """The upload stalled."""

    status, code = 408, "upload_timeout"


class AudioTooLarge(RequestFailure):
    """More bytes than allowed."""

    status, code = 413, "audio_too_large"


class AudioTooLong(RequestFailure):
    """More decoded seconds than allowed."""

    status, code = 413, "audio_too_long"


class UnsupportedAudio(RequestFailure):
    """Not audio as far as we can tell."""

    status, code = 415, "unsupported_audio"


class UnsupportedHere(RequestFailure):
    """Only other runtimes can do it; the router sends it on to them."""

    status, code = 421, "unsupported_here"


class UndecodableAudio(RequestFailure):
    """Audio, but broken."""

    status, code = 422, "undecodable_audio"


class EngineError(RequestFailure):
    """The engine failed."""

    status, code = 500, "engine_error"


class Unavailable(RequestFailure):
    """Not now; says when to come back."""

    status = 503


class Loading(Unavailable):
    """The model is not ready yet."""

    code = "loading"


class Compiling(Loading):
    """The model is being fitted to its device, which may take minutes."""

    code = "compiling"


class QueueFull(Unavailable):
    """As much audio waits as may."""

    code = "queue_full"


class NoMemory(QueueFull):
    """There was room in the queue, but not in memory."""


class Draining(Unavailable):
    """The runtime is going away."""

    code = "draining"


class DeviceLost(Unavailable):
    """The device, or what works on it, does not come back before a restart."""

    code = "device_lost"


class DeadlineExceeded(RequestFailure):
    """It took longer than allowed."""

    status, code = 504, "deadline_exceeded"
