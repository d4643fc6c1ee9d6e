"""The proxy itself: an HTTPS server in a thread of its own, with the API server's own certificate."""

import asyncio
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import web
from yarl import URL

from tests.cluster.credentials import Credentials
from tests.support.api_faults.calls import Call, call
from tests.support.api_faults.faults import Fault, When, abort, every

T = TypeVar("T")
NOT_FORWARDED = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass(eq=False)
class Injected:
    """A fault that is on."""

    fault: Fault
    when: When
    left: float
    """How many requests it still meets."""

    def meets(self, found: Call) -> bool:
        if self.left <= 0 or not self.when(found):
            return False
        self.left -= 1
        return True


@dataclass(eq=False)
class Stream:
    """An open watch, as the client sees it."""

    request: web.BaseRequest
    response: web.StreamResponse
    silent: bool = False


class ApiFaults:
    """Runs for as long as the block lasts. All methods may be called from any thread.

    Args:
        kubeconfig: of the API server behind it, as `tests.cluster.credentials` made it, its certificate beside it.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self._behind = json.loads(kubeconfig.read_text())
        self._upstream = str(self._behind["clusters"][0]["cluster"]["server"])
        self._credentials = Credentials(kubeconfig.parent)
        self._calls: list[Call] = []
        self._injected: list[Injected] = []
        self._streams: set[Stream] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="api-faults", daemon=True)
        self._folder = TemporaryDirectory(prefix="whisper-api-faults-")
        self._port = 0
        self._listener: asyncio.Server | None = None

    @property
    def kubeconfig(self) -> Path:
        """For whoever is to be hurt."""
        return Path(self._folder.name) / "kubeconfig"

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._start())
        cluster = self._behind["clusters"][0]["cluster"] | {"server": f"https://127.0.0.1:{self._port}"}
        clusters = [self._behind["clusters"][0] | {"cluster": cluster}]
        self.kubeconfig.write_text(json.dumps(self._behind | {"clusters": clusters}))
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._folder.cleanup()

    @contextmanager
    def fault(self, fault: Fault, when: When = every, times: float = float("inf")) -> Iterator[None]:
        """Requests that `when` picks meet this fault, the first `times` of them, until the block ends.

        What was begun then stays as it is: a request that was to be silent is silent for ever.
        """
        injected = Injected(fault, when, times)
        self._injected.insert(0, injected)
        try:
            yield
        finally:
            self._injected.remove(injected)

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Connections end, and new ones are refused, until the block ends. What is refused is not counted."""
        self._do(self._refuse())
        try:
            yield
        finally:
            self._do(self._listen())

    def drop(self) -> None:
        """End every connection that is open, with a reset."""
        self._do(self._drop())

    def silence_streams(self) -> None:
        """The watches that are open say nothing from now on, and do not end: the other end has lost its power."""
        self._do(self._silence())

    def tear_streams(self, *, framed: bool) -> None:
        """The watches that are open end within a line."""
        self._do(self._tear(framed=framed))

    def calls(self, since: float = 0.0) -> list[Call]:
        """What arrived, from that time on."""
        return [found for found in list(self._calls) if found.at >= since]

    def count(self, since: float = 0.0) -> Counter[tuple[str, str]]:
        """How often each verb and resource was asked for."""
        return Counter((found.verb, found.resource) for found in self.calls(since))

    def busiest_second(self, since: float = 0.0) -> int:
        """The most requests within one second, counted from `since` on."""
        return max(Counter(int(found.at - since) for found in self.calls(since)).values(), default=0)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self) -> None:
        trusted = ssl.create_default_context(cafile=str(self._credentials.authority))
        no_limit = aiohttp.TCPConnector(ssl=trusted, limit=0, force_close=True)  # a restarted API server is found again
        self._session = aiohttp.ClientSession(
            connector=no_limit, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None)
        )
        self._server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(
            self._credentials.certificate("kube-apiserver"), self._credentials.key("kube-apiserver")
        )
        await self._listen()

    async def _listen(self) -> None:
        self._listener = await self._loop.create_server(self._server, "127.0.0.1", self._port, ssl=self._tls)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        assert self._listener
        self._listener.close()
        await self._drop()

    async def _drop(self) -> None:
        for connection in list(self._server.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)

    async def _silence(self) -> None:
        for stream in self._streams:
            stream.silent = True

    async def _tear(self, *, framed: bool) -> None:
        for stream in list(self._streams):
            stream.silent = True
            await stream.response.write(b'{"type":"MODIFIED","object":{"apiVers')
            if framed:
                await stream.response.write_eof()
            abort(stream.request)

    async def _stop(self) -> None:
        if self._listener:
            self._listener.close()
        await self._drop()
        await self._server.shutdown(1)
        await self._session.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        found = call(time.monotonic(), request.method, request.url)
        self._calls.append(found)

        async def forward() -> web.StreamResponse:
            return await self._forward(request, body, found)

        for injected in self._injected:
            if injected.meets(found):
                return await injected.fault(request, forward)
        return await forward()

    async def _forward(self, request: web.BaseRequest, body: bytes, found: Call) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_FORWARDED}
        url = URL(self._upstream + request.raw_path, encoded=True)
        try:
            async with self._session.request(request.method, url, headers=headers, data=body or None) as answer:
                passed = {name: value for name, value in answer.headers.items() if name.lower() not in NOT_FORWARDED}
                if found.verb != "watch" or answer.status != 200:
                    return web.Response(status=answer.status, headers=passed, body=await answer.read())
                return await self._pump(request, answer, passed)
        except aiohttp.ClientError:
            abort(request)  # the API server is gone, and so is this connection
            return web.Response(status=502)

    async def _pump(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        response.enable_chunked_encoding()
        await response.prepare(request)
        stream = Stream(request, response)
        self._streams.add(stream)
        try:
            async for content in answer.content.iter_any():
                if not stream.silent:
                    await response.write(content)
            if stream.silent:
                await asyncio.Event().wait()
            await response.write_eof()
        finally:
            self._streams.discard(stream)
        return response
