"""The kinds of object that the operator reads and writes, so that no discovery is needed to reach them."""

from dataclasses import dataclass

from whisper_operator.api import API_VERSION, modelset, whisperservice
from whisper_operator.plan.ownership import MANAGED_BY, MANAGER


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource type of the API server."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """API group; empty for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """API version within the group."""
        return self.api_version.rpartition("/")[2]

    def path(self, namespace: str | None = None, name: str | None = None, sub: str | None = None) -> str:
        """URL path of a collection, an object or a subresource."""
        parts = ["apis", self.api_version] if self.group else ["api", self.api_version]
        if namespace is not None and self.namespaced:
            parts += ["namespaces", namespace]
        return "/" + "/".join([*parts, self.plural, *(part for part in (name, sub) if part)])


MODELSET = Kind(API_VERSION, modelset.KIND, modelset.PLURAL)
WHISPERSERVICE = Kind(API_VERSION, whisperservice.KIND, whisperservice.PLURAL)
POD = Kind("v1", "Pod", "pods")
CLAIM = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
JOB = Kind("batch/v1", "Job", "jobs")
EVENT = Kind("events.k8s.io/v1", "Event", "events")
LEASE = Kind("coordination.k8s.io/v1", "Lease", "leases")
STORAGE_CLASS = Kind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)

CUSTOM = (MODELSET, WHISPERSERVICE)
"""What users write."""
OWNED = (
    Kind("apps/v1", "Deployment", "deployments"),
    Kind("v1", "Service", "services"),
    Kind("v1", "ConfigMap", "configmaps"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    CLAIM,
    JOB,
    POD,
)
"""What we make, or what is made for us; watched by our label."""
WATCHED = (*CUSTOM, *OWNED)
SELECTOR = f"{MANAGED_BY}={MANAGER}"
_BY_NAME = {(kind.api_version, kind.kind): kind for kind in (*WATCHED, EVENT, STORAGE_CLASS)}


def kind_of(api_version: str, kind: str) -> Kind:
    """The kind behind a manifest's `apiVersion` and `kind`."""
    try:
        return _BY_NAME[api_version, kind]
    except KeyError:
        raise LookupError(f"{api_version} {kind} is planned, but cluster/kinds.py does not list it") from None
