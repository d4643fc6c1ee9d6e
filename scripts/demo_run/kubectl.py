"""kubectl, as the person who watches the demo would call it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.commands import CommandError, output_of

CALL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl for one cluster."""

    program: str
    kubeconfig: Path

    def environment(self) -> dict[str, str]:
        """The environment in which kubectl and helm find the cluster."""
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}

    def run(self, *words: str, stdin: str | None = None, timeout: float = CALL_SECONDS) -> str:
        """What kubectl prints; raises CommandError."""
        return output_of([self.program, *words], env=self.environment(), stdin=stdin, timeout=timeout)

    def apply(self, document: dict[str, Any]) -> str:
        """Apply one object and say what became of it."""
        return self.run("apply", "-f", "-", stdin=json.dumps(document)).strip()

    def find(self, *words: str) -> dict[str, Any] | None:
        """An object or a list; None where there is none or its kind is not known."""
        try:
            text = self.run("get", *words, "--ignore-not-found", "-o", "json")
        except CommandError as error:
            if "the server doesn't have a resource type" in error.output:
                return None
            raise
        found: dict[str, Any] | None = json.loads(text) if text.strip() else None
        return found

    def items(self, *words: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        return list((self.find(*words) or {}).get("items", []))


def namespace(name: str) -> dict[str, Any]:
    """A namespace that admits only pods which need no privilege: everything of ours runs in such a one."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
