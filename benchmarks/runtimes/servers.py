"""The servers, each in a process of its own on loopback with all cores: ours, whisper.cpp's, and wrapped libraries.

All are asked for the same: one clip, greedily, in English, without voice detection.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks.contender import quiet
from benchmarks.runtimes.calls import Upload, upload
from benchmarks.runtimes.contenders import ENTRANTS, FASTER_WHISPER, MODEL, NPU, OPENVINO_GENAI, OURS, WHISPER_CPP
from benchmarks.whisper_cpp import program
from tests.contract.runtime.process import answers, free_port
from tests.support.artifacts import onnx_store, openvino_store
from tests.support.waiting import wait_until

Command = Callable[[int, int], Sequence[str]]
"""(threads, port) → what starts it."""
_PLAIN = MappingProxyType({"temperature": "0.0"})


class ServerEndedError(RuntimeError):
    """A server ended before it could answer; with the last that it said."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a server is started and asked."""

    command: Command
    path: str
    ready: str
    fields: Mapping[str, str]
    words: Mapping[str, str]
    """What to add to the form where words' times are wanted."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    name: str
    kind: Kind
    url: str
    pid: int

    def upload(self, audio: Path, *, words: bool) -> Upload:
        """A request for a file's text, and for its words' times."""
        fields = {**self.kind.fields, **(self.kind.words if words else {})}
        return upload(f"{self.url}{self.kind.path}", audio.read_bytes(), fields)


def _ours(program: str, store: Callable[[str], Path], *flags: str) -> Kind:
    def command(threads: int, port: int) -> Sequence[str]:
        at = ["--models", str(store(MODEL)), "--model", MODEL, "--precision", "int8"]
        started = [str(Path(sys.executable).with_name(program)), "serve", *at, *flags]
        return [*started, "--threads", str(threads), "--port", str(port)]

    fields = {**_PLAIN, "language": "en", "vad": "false"}
    return Kind(command, "/transcribe", "/readyz", fields, {"word_timestamps": "true"})


def _whisper_cpp() -> Kind:
    def command(threads: int, port: int) -> Sequence[str]:
        model = ENTRANTS[WHISPER_CPP].setting(threads).path
        greedy = ["--best-of", "1", "--beam-size", "-1", "--no-fallback", "--language", "en"]
        started = [str(program("whisper-server")), "--model", model, *greedy]
        return [*started, "--threads", str(threads), "--host", "127.0.0.1", "--port", str(port)]

    fields = {**_PLAIN, "response_format": "json"}
    return Kind(command, "/inference", "/health", fields, {"response_format": "verbose_json"})


def _wrapped(name: str) -> Kind:
    def command(threads: int, port: int) -> Sequence[str]:
        setting = ENTRANTS[name].setting(threads, words=True)
        return [sys.executable, "-m", "benchmarks.peer_server", setting.to_json(), str(port)]

    return Kind(command, "/transcribe", "/health", {}, {"word_timestamps": "true"})


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        OURS: _ours("whisper-cpu", onnx_store),
        NPU: _ours("whisper-npu", openvino_store, "--device-order", "CPU"),
        FASTER_WHISPER: _wrapped(FASTER_WHISPER),
        OPENVINO_GENAI: _wrapped(OPENVINO_GENAI),
        WHISPER_CPP: _whisper_cpp(),
    }
)


@contextmanager
def running(name: str, threads: int) -> Iterator[Server]:
    """A server until the block ends."""
    kind, port = KINDS[name], free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        command = list(kind.command(threads, port))
        process = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | quiet(threads))
        try:
            wait_until(
                lambda: process.poll() is not None or answers(url + kind.ready) == 200,
                within=180,
                every=0.1,
                what=f"{name} is ready",
            )
            if process.poll() is not None:
                said.seek(0)
                raise ServerEndedError(f"{name} ended with {process.returncode}: {said.read()[-1000:]}")
            yield Server(name, kind, url, process.pid)
        finally:
            process.terminate()
            process.wait()
