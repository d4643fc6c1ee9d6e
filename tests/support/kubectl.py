"""kubectl as the tests use it: the user's own tool, its answers as JSON."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from tests.support.waiting import wait_until


class KubectlError(AssertionError):
    """kubectl refused; the message is what it printed."""


@dataclass(frozen=True)
class Kubectl:
    """One cluster, optionally one namespace of it."""

    binary: str
    kubeconfig: Path
    namespace: str | None = None

    def within(self, namespace: str) -> "Kubectl":
        return Kubectl(self.binary, self.kubeconfig, namespace)

    def command(self, *words: str) -> list[str]:
        scope = ["--namespace", self.namespace] if self.namespace else []
        return [self.binary, "--kubeconfig", str(self.kubeconfig), *scope, *words]

    def run(self, *words: str, stdin: str | None = None, timeout: float = 120) -> str:
        done = subprocess.run(
            self.command(*words), input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def apply(self, manifests: str | list[dict[str, Any]]) -> str:
        text = (
            manifests
            if isinstance(manifests, str)
            else json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        )
        return self.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)

    def get(self, *words: str) -> Any:
        return json.loads(self.run("get", *words, "-o", "json"))

    def items(self, *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(*words)["items"]
        return found

    def find(self, *words: str) -> dict[str, Any] | None:
        """The object, or None where there is none."""
        text = self.run("get", *words, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def condition(self, kind: str, name: str, condition: str) -> dict[str, Any]:
        """The condition of that type; an empty one where it is not there yet."""
        found = self.find(kind, name) or {}
        conditions = found.get("status", {}).get("conditions", [])
        return next((c for c in conditions if c["type"] == condition), {})

    def wait_condition(
        self, kind: str, name: str, condition: str, status: str = "True", *, within: float
    ) -> dict[str, Any]:
        def seen() -> dict[str, Any]:
            found = self.condition(kind, name, condition)
            assert found.get("status") == status, found
            return found

        return wait_until(seen, within=within, what=f"{kind}/{name} has {condition}={status}")

    @contextmanager
    def forwarded(self, target: str, port: int) -> Iterator[str]:
        """A URL on loopback that reaches `port` of `target`, e.g. `svc/whisper`.

        kubectl writes a line for each connection: into a file, since it would wait for ever at a pipe that is full.
        """
        with NamedTemporaryFile() as log:
            command = self.command("port-forward", target, f":{port}")
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

            def said() -> str:
                ended = process.poll() is not None
                text = Path(log.name).read_text()
                return text if ended or "\n" in text else ""

            try:
                line, *_ = wait_until(said, within=120, what=f"port-forward to {target}").splitlines()
                assert " -> " in line, f"port-forward to {target} said {line!r}"
                yield "http://" + line.split()[2]
            finally:
                process.terminate()
                process.wait(30)


def is_ready(pod: dict[str, Any]) -> bool:
    """Not one that is on its way out."""
    conditions = pod.get("status", {}).get("conditions", [])
    leaves = "deletionTimestamp" in pod["metadata"]
    return not leaves and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
