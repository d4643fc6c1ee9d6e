"""`whisper-cpu serve` as a process of its own, with a real model."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import httpx

from tests.contract.runtime.service import MODEL
from tests.support.artifacts import onnx_store
from tests.support.waiting import wait_until

COMMAND = [str(Path(sys.executable).with_name("whisper-cpu"))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def model_flags(models: Path | None = None) -> list[str]:
    return ["--models", str(models or onnx_store(MODEL)), "--model", MODEL, "--threads", "1"]


@contextmanager
def process(*flags: str, command: Sequence[str] = COMMAND) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A serving process that is ready, and its address.

    What it writes goes to a file: a pipe that nobody reads is full when `/readyz` was asked for often enough, and then
    the process waits for ever.
    """
    port = free_port()
    arguments = [*command, "serve", *model_flags(), "--port", str(port), *flags]
    with (
        NamedTemporaryFile() as log,
        Path(log.name).open("rb") as said,
        subprocess.Popen(arguments, stderr=log) as running,
    ):
        running.stderr = said
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: ready(url), within=180, every=0.05, what="whisper-cpu is ready")
            yield running, url
        finally:
            running.kill()


def ready(url: str) -> bool:
    return answers(f"{url}/readyz") == httpx.codes.OK


def answers(url: str, within: float = 30) -> int | None:
    """The status of a GET, or None where nobody answers in time."""
    try:
        return httpx.get(url, timeout=within).status_code
    except httpx.TransportError:
        return None
