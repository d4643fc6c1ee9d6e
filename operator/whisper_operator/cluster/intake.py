"""From what changed in the cluster to the custom resources that must be looked at again."""

from collections.abc import Callable

from whisper_operator.api import modelset, whisperservice
from whisper_operator.api.conditions import Reason
from whisper_operator.cluster.cache import Cache, address, owner_key
from whisper_operator.cluster.kinds import JOB, POD
from whisper_operator.plan.modelset.keepers import keepers
from whisper_operator.plan.modelset.repair import complains
from whisper_operator.plan.trouble import waits_on_a_node
from whisper_operator.plan.types import Key, Manifest


class Intake:
    """Takes in watch events, and says which keys they concern."""

    def __init__(self, cache: Cache, enqueue: Callable[[Key], None]) -> None:
        self._cache = cache
        self._enqueue = enqueue
        cache.changed = self.changed

    def seen(self, event_type: str | None, manifest: Manifest) -> None:
        """One event of a watch; the type is None for what a listing found."""
        if event_type == "DELETED":
            self._cache.remove(address(manifest), manifest["metadata"]["uid"])
        else:
            self._cache.put(manifest)

    def changed(self, manifest: Manifest) -> None:
        """Look again at the owner of an object and at whoever depends on it."""
        key = owner_key(manifest)
        if key is None:
            return
        self._enqueue(key)
        if manifest["kind"] == modelset.KIND:
            for service in self._cache.of_kind(whisperservice.KIND, key.namespace):
                if set_of(service) == key.name:
                    self._enqueue(Key(whisperservice.KIND, key.namespace, service["metadata"]["name"]))
        elif manifest["kind"] == whisperservice.KIND:
            self._service_changed(key, set_of(manifest))
        elif manifest["kind"] == JOB.kind:
            for name in keepers(manifest).values():
                self._enqueue(Key(modelset.KIND, key.namespace, name))
        elif manifest["kind"] == POD.kind:
            self._pod_changed(key, manifest)

    def _service_changed(self, key: Key, name: str) -> None:
        """A set tells who uses it, and depends on nothing else of a service unless something is to leave its claim."""
        there = self._cache.get(key.kind, key.namespace, key.name) is not None
        for models in self._cache.of_kind(modelset.KIND, key.namespace):
            meta, status = models["metadata"], models.get("status") or {}
            told = key.name in (status.get("usedBy") or ())
            if told != (there and meta["name"] == name) or status.get("leaving"):
                self._enqueue(Key(modelset.KIND, key.namespace, meta["name"]))

    def _pod_changed(self, key: Key, pod: Manifest) -> None:
        """What a runtime's pod says of what it reads, and whether it gets to read it at all."""
        served = self._cache.get(whisperservice.KIND, key.namespace, key.name)
        if served is None or key.kind != whisperservice.KIND:
            return
        models = self._cache.get(modelset.KIND, key.namespace, set_of(served))
        if complains(pod) or waits_on_a_node(pod) or (models is not None and tells_of_waiting(models)):
            self._enqueue(Key(modelset.KIND, key.namespace, set_of(served)))


def tells_of_waiting(models: Manifest) -> bool:
    """Whether a set says that pods wait for its volume."""
    conditions = (models.get("status") or {}).get("conditions") or ()
    return any(one.get("reason") == Reason.VOLUME_NOT_SHAREABLE for one in conditions)


def set_of(service: Manifest) -> str:
    """The ModelSet that a WhisperService refers to."""
    return str(service["spec"]["modelSetRef"]["name"])
