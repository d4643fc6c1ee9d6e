"""A namespace of a case's own, through plain requests: some hundred cases at once would be too many kubectl."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from scripts.demo_run.kubectl import namespace as restricted
from tests.integration import jobs
from tests.support.api_client import (
    CLAIM,
    JOB,
    KINDS,
    MODELSET,
    NAMESPACE,
    POD,
    WHISPERSERVICE,
    ApiClient,
    Kind,
    Object,
)
from tests.support.waiting import wait_until

SLOW = 400.0
"""Seconds; the controllers do twenty things a second, and all cases are deleted at once. On a machine with nothing else
to do, a tenth of it."""
T = TypeVar("T")
KEPT = {"ConfigMap/kube-root-ca.crt"}
"""What Kubernetes itself puts into every namespace."""
MADE = [kind for kind in KINDS.values() if kind.namespaced and kind.kind != "Event"]


@dataclass(frozen=True)
class Place:
    """One namespace."""

    api: ApiClient
    name: str

    def apply(self, *manifests: Object) -> None:
        for one in manifests:
            self.api.apply(one, self.name)

    def find(self, kind: str | Kind, name: str) -> Object | None:
        return self.api.find(KINDS[kind] if isinstance(kind, str) else kind, self.name, name)

    def delete(self, kind: str | Kind, name: str, propagation: str = "Background") -> None:
        self.api.delete(KINDS[kind] if isinstance(kind, str) else kind, self.name, name, propagation)

    def wait(self, see: Callable[[], T], what: str) -> T:
        return wait_until(see, within=SLOW, every=1, what=f"{what} in {self.name}")

    def wait_left(self, left: frozenset[str]) -> None:
        """Until exactly these are there."""

        def only() -> bool:
            found = self.objects()
            assert found == left, f"there are {found}"
            return True

        self.wait(only, f"nothing but {set(left)} is left")

    def wait_gone(self, kind: Kind, name: str) -> None:
        self.wait(lambda: self.find(kind, name) is None, f"{kind.kind}/{name} is gone")

    def reason(self, kind: Kind, name: str, condition: str = "Ready") -> str:
        found = (self.find(kind, name) or {}).get("status", {}).get("conditions", [])
        return next((str(one["reason"]) for one in found if one["type"] == condition), "")

    def job(self, component: str) -> Object | None:
        """The Job of that kind that has a pod which has not ended, nor has the Job."""
        for one in self.api.items(JOB, self.name, f"{jobs.COMPONENT}={component}"):
            if not jobs.ended(one) and any(not jobs.has_ended(pod) for pod in self._pods(one)):
                return one
        return None

    def end_job(self, component: str, code: int, said: dict[str, Any]) -> None:
        """Play the kubelet: the Job's pod ends."""
        live = self.wait(lambda: self.job(component), f"the {component} Job runs")
        assert live
        self.end_pod(live, code, said)

    def end_pod(self, job: Object, code: int, said: dict[str, Any]) -> None:
        """Whatever was deleted a moment before may take the Job and its pod away at any time."""
        for pod in self._pods(job):
            status = {"status": jobs.ended_status(code, said)}
            self.api.patch_if_there(POD, self.name, pod["metadata"]["name"], status, "status")

    def _pods(self, job: Object) -> list[Object]:
        return self.api.items(POD, self.name, f"batch.kubernetes.io/controller-uid={job['metadata']['uid']}")

    def everything(self) -> list[Object]:
        found = [one for kind in MADE for one in self.api.items(kind, self.name)]
        return [one for one in found if f"{one['kind']}/{one['metadata']['name']}" not in KEPT]

    def objects(self) -> set[str]:
        return {f"{one['kind']}/{one['metadata']['name']}" for one in self.everything()}

    def finalizers(self) -> set[str]:
        return {word for one in self.everything() for word in one["metadata"].get("finalizers", [])}

    def claims(self) -> set[str]:
        return {f"PersistentVolumeClaim/{one['metadata']['name']}" for one in self.api.items(CLAIM, self.name)}

    def end(self) -> None:
        """The namespace goes away with all that is in it."""
        self.api.delete(NAMESPACE, None, self.name)
        self.wait(lambda: self.api.find(NAMESPACE, None, self.name) is None, "the namespace is gone")


@contextmanager
def place(api: ApiClient) -> Iterator[Place]:
    """A new one, which enforces restricted Pod Security; it must go away at the end."""
    name = f"end-{secrets.token_hex(4)}"
    api.apply(restricted(name), None)
    found = Place(api, name)
    try:
        yield found
    finally:
        found.end()


def delete_both(place: Place, propagation: str = "Background") -> None:
    place.delete(WHISPERSERVICE, "speech", propagation)
    place.delete(MODELSET, "models", propagation)
