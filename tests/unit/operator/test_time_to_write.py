"""A write is sent only while there is time for it: asked before the request, and again when its bytes are to go."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from whisper_operator.cluster.connection import Connection, connect
from whisper_operator.cluster.errors import NotLeader, Unavailable
from whisper_operator.cluster.kinds import Kind

CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
OBJECT: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "demo"}}
WRITES: dict[str, Callable[[Connection], Any]] = {
    "apply": lambda connection: connection.apply(OBJECT, CONFIG_MAP),
    "create": lambda connection: connection.create(OBJECT, CONFIG_MAP),
    "delete": lambda connection: connection.delete(CONFIG_MAP, "demo", "one", "uid"),
}


@dataclass
class Server:
    """Answers everything, and remembers what arrived."""

    slow: bool = False
    asked: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.method)
        self.limits.append(request.query.get("timeout", ""))
        if self.slow:
            await asyncio.Event().wait()
        return web.json_response(OBJECT)


def connected_to(url: str, folder: Path, left: Callable[[], float]) -> AbstractAsyncContextManager[Connection]:
    path = folder / "kubeconfig"
    known = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    }
    path.write_text(yaml.safe_dump(known))
    return connect({"KUBECONFIG": str(path)}, left)


@asynccontextmanager
async def connected(server: Server, folder: Path, left: Callable[[], float]) -> AsyncIterator[Connection]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    async with TestServer(app) as running, connected_to(str(running.make_url("")), folder, left) as connection:
        yield connection


def then(*answers: float) -> Callable[[], float]:
    """Each in its turn, and the last one for ever."""
    waiting: Iterator[float] = iter(answers[:-1])
    return lambda: next(waiting, answers[-1])


@pytest.mark.parametrize("write", WRITES)
async def test_without_time_nothing_is_sent(write: str, tmp_path: Path) -> None:
    server = Server()
    async with connected(server, tmp_path, lambda: 0) as connection:
        with pytest.raises(NotLeader):
            await WRITES[write](connection)
        await connection.get(CONFIG_MAP, "demo", "one")
    assert server.asked == ["GET"]


@pytest.mark.parametrize("write", WRITES)
async def test_time_that_ends_before_the_bytes_go_is_noticed(write: str, tmp_path: Path) -> None:
    server = Server()
    async with connected(server, tmp_path, then(5, 0)) as connection:
        with pytest.raises(NotLeader):
            await WRITES[write](connection)
    assert server.asked == []


@pytest.mark.parametrize("write", WRITES)
async def test_a_write_is_given_up_here_and_there_when_the_time_is_over(write: str, tmp_path: Path) -> None:
    server = Server(slow=True)
    async with connected(server, tmp_path, then(1.0, 1.0, 0)) as connection:
        with pytest.raises(NotLeader):
            await asyncio.wait_for(WRITES[write](connection), 30)
    assert server.limits == ["1.000s"]


async def test_who_competes_with_nobody_waits_as_long_as_for_any_request(tmp_path: Path) -> None:
    server = Server()
    async with connected(server, tmp_path, lambda: float("inf")) as connection:
        await connection.apply(OBJECT, CONFIG_MAP)
        await connection.get(CONFIG_MAP, "demo", "one")
    assert server.limits == ["20.000s", ""]


async def test_what_was_not_delivered_when_it_is_given_up_is_thrown_away(tmp_path: Path) -> None:
    """The kernel sends what it still has after a close, for minutes, unless it was told to reset the connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with connected_to(url, tmp_path, then(0.5, 0.5, 9)) as connection:
            with pytest.raises(Unavailable):
                await connection.apply(OBJECT, CONFIG_MAP)
        accepted, _ = await asyncio.get_running_loop().sock_accept(listener)
        with accepted, pytest.raises(ConnectionResetError):
            await to_the_end(accepted)


async def to_the_end(accepted: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(accepted, 65536):
        pass
