"""What the builders build from: everything is decided, only the Kubernetes objects are missing."""

from collections.abc import Mapping
from dataclasses import dataclass

from whisper_operator.api.whisperservice import Effective, EffectiveRuntime, RuntimeSpec, WhisperService
from whisper_operator.plan import names
from whisper_operator.plan.service.models import Artifact
from whisper_operator.plan.types import Defaults


@dataclass(frozen=True, slots=True)
class Target:
    """A service as it is to be.

    Attributes:
        artifacts: by runtime; one that is missing has nothing to serve yet, so that its Deployment is not made.
    """

    service: WhisperService
    effective: Effective
    artifacts: Mapping[str, Artifact]
    defaults: Defaults

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.metadata.name

    @property
    def domain(self) -> str:
        """What follows a Service's name within the cluster."""
        return f"{self.service.metadata.namespace}.svc.{self.defaults.cluster_domain}"

    @property
    def url(self) -> str:
        """Where pods of the cluster reach the service."""
        return f"http://{names.service(self.name)}.{self.domain}"

    @property
    def chain(self) -> tuple[str, ...]:
        """The runtimes in the order in which they are tried."""
        return tuple(runtime.name for runtime in self.effective.runtimes)

    def asked(self, runtime: EffectiveRuntime) -> RuntimeSpec:
        """What the user says about a runtime."""
        found: RuntimeSpec = getattr(self.service.spec.runtimes, runtime.name)
        return found
