"""The operator as a real process beside the API server, as `whisper-operator run` starts it."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_until


@dataclass(frozen=True)
class OperatorProcess:
    """A running operator: where it answers, and what it wrote."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def metric(self, name: str) -> float:
        """The sum of a metric over all its labels."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))


@contextmanager
def operator_process(
    kubeconfig: Path, log: Path, ends: Container[int] = (0,), /, **settings: str
) -> Iterator[OperatorProcess]:
    """Runs for as long as the block lasts, and must end well when told to; where it ends earlier, as `ends` says."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WHISPER_OPERATOR_")}
    environment |= {"KUBECONFIG": str(kubeconfig), "WHISPER_OPERATOR_PORT": str(port)}
    environment |= {f"WHISPER_OPERATOR_{name.upper()}": value for name, value in settings.items()}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "whisper_operator", "run"], env=environment, stderr=output, stdout=output
        )
    found = OperatorProcess(process, port, log)
    try:
        wait_until(lambda: found.get("/readyz")[0] == 200, within=180, what=f"the operator is ready; see {log}")
        yield found
    finally:
        process.terminate()
        try:
            ended = process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
    assert ended in ends, f"the operator ended with {ended}: {log.read_text()[-2000:]}"
