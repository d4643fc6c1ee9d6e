"""From what changed in the cluster to the custom resources that must be looked at again."""

from collections.abc import Callable

from whisper_operator.api import modelset, whisperservice
from whisper_operator.cluster.cache import Cache, address, owner_key
from whisper_operator.cluster.kinds import POD
from whisper_operator.plan.modelset.repair import complains
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
        elif manifest["kind"] == POD.kind and complains(manifest):
            served = self._cache.get(whisperservice.KIND, key.namespace, key.name)
            if served is not None:
                self._enqueue(Key(modelset.KIND, key.namespace, set_of(served)))

    def _service_changed(self, key: Key, name: str) -> None:
        """A set tells who uses it, and depends on nothing else of a service."""
        models = self._cache.get(modelset.KIND, key.namespace, name) or {}
        told = key.name in ((models.get("status") or {}).get("usedBy") or ())
        if told != (self._cache.get(key.kind, key.namespace, key.name) is not None):
            self._enqueue(Key(modelset.KIND, key.namespace, name))


def set_of(service: Manifest) -> str:
    """The ModelSet that a WhisperService refers to."""
    return str(service["spec"]["modelSetRef"]["name"])
