"""What can be done to a request: each fault answers it in the API server's place, or spoils that."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from tests.support.api_faults.calls import Call

Forward = Callable[[], Awaitable[web.StreamResponse]]
"""Has the API server answer; a watch is answered only when it ends."""
When = Callable[[Call], bool]
REASONS = {
    401: "Unauthorized",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
}


class Fault(Protocol):
    """Decides one request's fate."""

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse: ...


def every(_: Call) -> bool:
    """All requests."""
    return True


def watches(found: Call) -> bool:
    """Watches only."""
    return found.verb == "watch"


def writes(resource: str) -> When:
    """Writes of one kind, e.g. `jobs`."""
    return lambda found: found.verb in ("create", "update", "patch", "delete") and found.resource == resource


def status(code: int) -> dict[str, object]:
    """A Status object, as the API server makes it."""
    said = {"reason": REASONS[code], "message": f"injected {code}", "code": code}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", **said}


def abort(request: web.BaseRequest) -> None:
    """End the connection with a reset."""
    if request.transport is not None:
        request.transport.abort()


@dataclass(frozen=True)
class Answer:
    """An error of the API server."""

    code: int
    retry_after: int | None = None

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse:
        del request, forward
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return web.json_response(status(self.code), status=self.code, headers=headers)


@dataclass(frozen=True)
class Silence:
    """Taken, and never answered."""

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse:
        del request, forward
        await asyncio.Event().wait()
        raise AssertionError("nobody sets this event")


@dataclass(frozen=True)
class Delay:
    """Answered, but late."""

    seconds: float

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse:
        del request
        await asyncio.sleep(self.seconds)
        return await forward()


@dataclass(frozen=True)
class Lost:
    """Done, but the connection breaks before the answer."""

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse:
        found = await forward()
        abort(request)
        return found


@dataclass(frozen=True)
class Truncated:
    """Half of the answer; `framed` says that this was all, otherwise the connection breaks where more was promised."""

    framed: bool = False

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse:
        whole = await forward()
        assert isinstance(whole, web.Response), "a stream is torn (`Torn`), not truncated"
        assert isinstance(whole.body, bytes)
        half = whole.body[: len(whole.body) // 2]
        headers = {"Content-Type": whole.headers["Content-Type"]}
        if self.framed:
            return web.Response(status=whole.status, body=half, headers=headers)
        headers["Content-Length"] = str(len(whole.body))
        found = web.StreamResponse(status=whole.status, headers=headers)
        await found.prepare(request)
        await found.write(half)
        abort(request)
        return found


async def _stream(request: web.BaseRequest, content: bytes = b"") -> web.StreamResponse:
    found = web.StreamResponse(headers={"Content-Type": "application/json"})
    found.enable_chunked_encoding()
    await found.prepare(request)
    if content:
        await found.write(content)
    return found


@dataclass(frozen=True)
class Ends:
    """A watch that is over as soon as it has begun."""

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse:
        del forward
        found = await _stream(request)
        await found.write_eof()
        return found


@dataclass(frozen=True)
class ErrorEvent:
    """A watch that begins well and then says that it failed."""

    code: int

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse:
        del forward
        said = json.dumps({"type": "ERROR", "object": status(self.code)}) + "\n"
        found = await _stream(request, said.encode())
        await found.write_eof()
        return found


@dataclass(frozen=True)
class Torn:
    """A watch that ends within a line; `framed` as in `Truncated`."""

    framed: bool = False

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse:
        del forward
        found = await _stream(request, b'{"type":"MODIFIED","object":{"apiVers')
        if self.framed:
            await found.write_eof()
        else:
            abort(request)
        return found


@dataclass(frozen=True)
class SilentStream:
    """A watch that begins and then says nothing, and does not end either."""

    async def __call__(self, request: web.BaseRequest, forward: Forward) -> web.StreamResponse:
        del forward
        await _stream(request)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets this event")
