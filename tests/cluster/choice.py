"""Which cluster is meant: the one place that the Makefile, the demo and the tests ask."""

from tests.cluster.builtin import Builtin
from tests.cluster.errors import ClusterError
from tests.cluster.existing import Existing
from tests.cluster.kind import Kind
from tests.cluster.provider import Cluster
from tests.cluster.settings import Say, Settings

DEFAULT_INSTANCE = "default"


def choose(settings: Settings, say: Say, instance: str = DEFAULT_INSTANCE) -> Cluster:
    """The provider that `CLUSTER` names."""
    match settings.provider:
        case "builtin":
            return Builtin(settings.cache, instance, say)
        case "kind":
            return Kind(settings.cache, instance, say)
        case "existing":
            return Existing(settings.cache, settings.kubeconfig, say)
    raise ClusterError(f"CLUSTER={settings.provider} is none of builtin, kind, existing; unset it for the built-in one")
