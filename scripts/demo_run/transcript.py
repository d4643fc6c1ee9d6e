"""Send the clip to the routed Service with curl, as anyone would, and read who answered and how fast."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.commands import CommandError, output_of
from scripts.demo_run.kubectl import Kubectl
from scripts.demo_run.settings import CLIP, NAMESPACE

REQUEST_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    text: str
    runtime: str
    seconds: float
    audio_seconds: float
    command: str


def ask(kubectl: Kubectl, service: str = "whisper") -> Answer:
    """The transcript of the clip through the Service; raises CommandError with what curl or the service said."""
    with _forwarded(kubectl, service) as address, tempfile.TemporaryDirectory() as folder:
        headers = Path(folder) / "headers"
        argv = ["curl", "--silent", "--show-error", "--fail-with-body", "-F", f"file=@{CLIP}", f"{address}/transcribe"]
        more = ["--max-time", str(REQUEST_SECONDS), "--noproxy", "*", "-D", str(headers), "-w", "\n%{time_total}"]
        body, _, seconds = output_of([*argv, *more]).rpartition("\n")
        return read_answer(
            body,
            headers.read_text(encoding="iso-8859-1"),
            float(seconds),
            f"curl -F file=@{CLIP.name} {address}/transcribe",
        )


def read_answer(body: str, headers: str, seconds: float, command: str) -> Answer:
    """The answer's parts; a Service that does not say who served it is not ours, and KeyError says so."""
    result = json.loads(body)
    said = dict(line.lower().split(":", 1) for line in headers.splitlines() if ":" in line)
    return Answer(
        text=str(result["text"]).strip(),
        runtime=said["x-whisper-runtime"].strip(),
        seconds=seconds,
        audio_seconds=float(result["duration"]),
        command=command,
    )


@contextmanager
def _forwarded(kubectl: Kubectl, service: str) -> Iterator[str]:
    argv = [kubectl.program, "port-forward", f"service/{service}", ":80", "-n", NAMESPACE]
    with subprocess.Popen(
        argv, env=kubectl.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if " -> " not in line:
                raise CommandError(argv, "did not forward", line.strip())
            yield "http://" + line.split()[2]
        finally:
            process.terminate()
