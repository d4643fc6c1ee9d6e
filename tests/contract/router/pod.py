"""A runtime's pod as a process that can be stopped and killed: the real runtime but for its engine's arithmetic."""

import argparse
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from whisper_runtime.api.app import create_app
from whisper_runtime.engine import Artifact, Options, Stop, Transcript, Waveform
from whisper_runtime.fake import FakeEngine
from whisper_runtime.serving.server import serve
from whisper_runtime.settings import Settings

from tests.support.waiting import wait_until

MODEL = "tiny.en"
CANARIES = 3
"""Clips that each worker hears before the pod is ready: they take no time."""
ROOM = 64
"""Transcriptions that a pod has room for at the same time: more than there are callers."""


class PacedEngine(FakeEngine):
    """Takes its time, and says the address of its pod."""

    def __init__(self, address: str, seconds: float, room: int) -> None:
        super().__init__(lambda _: address)
        self.info = replace(self.info, workers=room)
        self.seconds = seconds
        self.warming = iter(range(CANARIES * room))

    def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        """Look at `stop` as often as a real engine does."""
        done = time.monotonic() + (self.seconds if next(self.warming, None) is None else 0)
        while time.monotonic() < done:
            stop()
            time.sleep(0.05)
        return super().transcribe(audio, options, stop)


@dataclass(frozen=True)
class Pod:
    """A running pod; `address` is one of loopback's."""

    process: subprocess.Popen[bytes]
    address: str
    port: int

    def stop(self) -> None:
        """It answers nothing any more, and the kernel still acknowledges what arrives."""
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """As the kernel does for the kubelet, the OOM killer or a hypervisor."""
        self.process.kill()
        self.process.wait(timeout=30)

    def drain(self) -> int:
        """As Kubernetes ends a pod; the exit status."""
        self.process.terminate()
        return self.process.wait(timeout=60)


@contextlib.contextmanager
def running_pod(address: str, port: int, *, seconds: float = 2.0, room: int = ROOM) -> Iterator[Pod]:
    """Started and ready.

    Args:
        address: of loopback.
        port: the same for all pods of a tier.
        seconds: that each transcription takes.
        room: how many it does at the same time, and about as many that it takes in at all.
    """
    command = [sys.executable, "-m", __name__, address, str(port), str(seconds), str(room)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _ready(process, address, port), within=180, every=0.05, what=f"{address} is ready")
            yield Pod(process, address, port)
        finally:
            process.kill()


def _ready(process: subprocess.Popen[bytes], address: str, port: int) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the pod ended with {process.returncode}")
    try:
        return httpx.get(f"http://{address}:{port}/readyz", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("room", type=int)
    told = parser.parse_args()
    settings = Settings(
        model=MODEL, host=told.address, port=told.port, workers=told.room, max_queue_seconds=3 * told.room
    )
    artifact = Artifact(Path("/nowhere"), MODEL, "int8", size_bytes=1)
    return serve(create_app(PacedEngine(told.address, told.seconds, told.room), artifact, settings))


if __name__ == "__main__":
    sys.exit(main())
