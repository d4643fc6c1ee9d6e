"""The cluster that is measured: namespaces, model sets with a bound claim each, and the services that use them.

There are no nodes, and unless it is asked for, nobody makes pods of Deployments: every object of ours is made, and
stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from whisper_operator.cluster.kinds import MODELSET, WHISPERSERVICE

from tests.e2e.resources import model_set, whisper_service

Object = dict[str, Any]
CLASS = "bench"
STORAGE_CLASS: Object = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "example.com/none",
}


@dataclass(frozen=True, slots=True)
class World:
    """How many of each there are."""

    services: int = 1000
    sets: int = 100
    namespaces: int = 10

    def namespace(self, number: int) -> str:
        """Where the set or service of that number lies; a service lies beside its set."""
        return f"bench-{number % self.namespaces}"

    def set_of(self, number: int) -> int:
        """The set that a service uses."""
        return number % self.sets

    def service_path(self, number: int) -> str:
        return WHISPERSERVICE.path(self.namespace(self.set_of(number)), f"speech-{number}")

    def namespace_objects(self) -> Iterator[Object]:
        for number in range(self.namespaces):
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace(number)}}

    def volumes(self) -> Iterator[Object]:
        """One for each claim that the operator will make, bound to it in advance."""
        for number in range(self.sets):
            claim = {"namespace": self.namespace(number), "name": f"models-{number}-models"}
            yield {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": f"bench-{number}"},
                "spec": {
                    "capacity": {"storage": "20Gi"},
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": CLASS,
                    "claimRef": claim,
                    "hostPath": {"path": "/nowhere"},
                },
            }

    def model_sets(self) -> Iterator[tuple[str, Object]]:
        """Each with the path of its collection."""
        for number in range(self.sets):
            yield MODELSET.path(self.namespace(number)), model_set(f"models-{number}")

    def whisper_services(self) -> Iterator[tuple[str, Object]]:
        """Each with the path of its collection."""
        for number in range(self.services):
            found = whisper_service(
                f"speech-{number}",
                models=f"models-{self.set_of(number)}",
            )
            yield WHISPERSERVICE.path(self.namespace(self.set_of(number))), found
