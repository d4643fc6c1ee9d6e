"""A runtime as the router sees it: probes, and answers that a test chooses. The real one is met in tests/e2e."""

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web

UNLIMITED = 1 << 40


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class Upstream:
    """One pod on a loopback address of its own.

    Attributes:
        ready: what `/readyz` says.
        busy: answer 503 with a Retry-After, as a full queue does.
        lacking: answer 421, as a runtime does that cannot do what a request needs.
        broken: cut the connection instead of answering.
        frozen: answer nothing, not even `/readyz`, as a stopped process does.
        delay: seconds until the answer.
        released: no request that came while this was its event is answered while that is cleared.
        seen: the bodies' sizes of requests that arrived whole.
        requests: their headers, the names in lower case.
    """

    address: str
    port: int
    runtime: str = "cpu"
    ready: bool = True
    busy: bool = False
    lacking: bool = False
    broken: bool = False
    frozen: bool = False
    delay: float = 0.0
    released: asyncio.Event = field(default_factory=_set)
    seen: list[int] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application(client_max_size=UNLIMITED)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=5.0, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.address, self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _readyz(self, _: web.Request) -> web.Response:
        if self.frozen:
            await asyncio.Event().wait()
        return web.json_response({"ready": self.ready}, status=200 if self.ready else 503)

    async def _answer(self, request: web.Request) -> web.Response:
        released = self.released
        self.seen.append(len(await request.read()))
        self.requests.append({name.lower(): value for name, value in request.headers.items()})
        if self.broken and request.transport is not None:
            request.transport.abort()
        if self.busy:
            return web.json_response(
                {"error": {"code": "queue_full"}},
                status=503,
                headers={"Retry-After": "7", "x-whisper-runtime": self.runtime},
            )
        if self.lacking:
            body = {"error": {"code": "unsupported_here"}}
            return web.json_response(body, status=421, headers={"x-whisper-runtime": self.runtime})
        await asyncio.sleep(self.delay)
        await released.wait()
        if self.frozen:
            await asyncio.Event().wait()
        return web.json_response({"text": self.address}, headers={"x-whisper-runtime": self.runtime})
