"""How far a set and a service of it can be when they are deleted."""

from collections.abc import Callable
from typing import Any

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.deletion.place import Place
from tests.support.api_client import MODELSET, REPLICA_SET

RETAINED = frozenset({"PersistentVolumeClaim/models-models"})


def _asked_for(place: Place, **spec: Any) -> None:
    place.apply(model_set(**spec), whisper_service())
    place.wait(lambda: place.find("Deployment", "speech-router"), "the router is made")


def pending(place: Place) -> None:
    """The claim cannot bind, so nothing is begun."""
    _asked_for(place, storage={"claimTemplate": {"storageClassName": "none-such"}})
    place.wait(lambda: place.reason(MODELSET, "models") == "StorageClassNotFound", "it waits for the class")


def job_running(place: Place) -> None:
    """A download is under way."""
    _asked_for(place)
    place.wait(lambda: place.job("download"), "the download runs")


def failing(place: Place) -> None:
    """The download failed, and is to be tried again."""
    _asked_for(place)
    said = {"outcome": "Failed", "reason": "NotFound", "message": "there is none", "retryable": True}
    place.end_job("download", 1, said)
    place.wait(lambda: place.reason(MODELSET, "models") == "NotFound", "the failure is told")


def suspended(place: Place) -> None:
    """Nothing is to be begun."""
    _asked_for(place, suspend=True)
    place.wait(place.claims, "the claim is made")


def invalid(place: Place) -> None:
    """The set asks for what there is not, and the service's name is taken by somebody else."""
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "speech-router"}}
    place.apply(theirs)
    _asked_for(place, models=[{"name": "none-such"}])
    place.wait(lambda: place.reason(MODELSET, "models", "Stalled") == "UnknownModel", "the mistake is told")
    place.delete("ConfigMap", "speech-router")


def ready(place: Place, **spec: Any) -> None:
    """Everything is made."""
    _asked_for(place, **spec)
    for component in jobs.STEPS:
        place.end_job(component, 0, jobs.made(component))
    place.wait(lambda: place.find("Deployment", "speech-cpu"), "the runtime is made")


def rolled_out(place: Place) -> None:
    """There are pods of two versions."""
    ready(place)
    place.apply(whisper_service(runtimes={"cpu": {"replicas": 2, "env": [{"name": "A", "value": "b"}]}}))
    place.wait(lambda: len(place.api.items(REPLICA_SET, place.name)) >= 3, "the second version is made")


def ready_and_not_retained(place: Place) -> None:
    """Everything is made, and the claim is to go with the set."""
    ready(place, storage={"reclaimPolicy": "Delete"})


STATES: dict[str, Callable[[Place], None]] = {
    state.__name__.replace("_", " "): state
    for state in (pending, job_running, failing, suspended, invalid, ready, rolled_out, ready_and_not_retained)
}


def left_by(state: str) -> frozenset[str]:
    """What must stay when both are deleted."""
    return frozenset() if state == "ready and not retained" else RETAINED
