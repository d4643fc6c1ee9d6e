"""The operator's configuration: read once from the environment, then passed on as a frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whisper_operator.plan.types import Defaults, Images

PREFIX = "WHISPER_OPERATOR_"
TAG = "0.1.0"
"""Tag of the default images: this version's."""


class ConfigError(ValueError):
    """A variable of the environment cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. Each field is the variable `WHISPER_OPERATOR_` + its name in capitals."""

    namespaces: tuple[str, ...] = ()
    """Namespaces to serve, separated by commas; all when empty."""
    models_image: str = f"whisper-models:{TAG}"
    """Image of download and conversion Jobs."""
    npu_image: str = f"whisper-npu:{TAG}"
    """Image of the npu runtime."""
    cpu_image: str = f"whisper-cpu:{TAG}"
    """Image of the cpu runtime."""
    router_image: str = "envoyproxy/envoy:distroless-v1.40.0"
    """Image of the router."""
    pull_policy: str = "IfNotPresent"
    """Pull policy of all of them."""
    pull_secrets: tuple[str, ...] = ()
    """Names of image pull secrets, separated by commas, in the namespaces of the resources."""
    hub_endpoint: str | None = None
    """Model hub for ModelSets that name none; the public hub when empty."""
    cluster_domain: str = "cluster.local"
    """DNS domain of the cluster."""
    lease_namespace: str | None = None
    """Namespace of the Lease that one of several replicas holds; without it there is no election: run one replica."""
    lease_name: str = "whisper-operator"
    """Name of that Lease."""
    replica: str | None = None
    """Name of this replica in the Lease: the pod's; the host's when empty."""
    resync_seconds: int = 300
    """How often everything is listed and looked at again."""
    workers: int = 8
    """How many resources are worked on at once."""
    port: int = 8080
    """Port of /metrics, /livez and /readyz."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    @property
    def defaults(self) -> Defaults:
        """What planning needs of it."""
        images = Images(
            models=self.models_image,
            runtimes={"npu": self.npu_image, "cpu": self.cpu_image},
            router=self.router_image,
            pull_policy=self.pull_policy,
            pull_secrets=self.pull_secrets,
        )
        return Defaults(images=images, hub_endpoint=self.hub_endpoint, cluster_domain=self.cluster_domain)


def read(environment: Mapping[str, str]) -> Config:
    """The configuration that the environment describes; an empty variable counts as absent."""
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
    unknown = sorted(set(given) - set(Config.__dataclass_fields__))
    if unknown:
        known = ", ".join(PREFIX + name.upper() for name in Config.__dataclass_fields__)
        raise ConfigError(f"{PREFIX}{unknown[0].upper()} is not a setting; there are {known}")
    return Config(**{name: _parsed(name, value.strip()) for name, value in given.items() if value.strip()})


def _parsed(name: str, value: str) -> Any:
    default = Config.__dataclass_fields__[name].default
    if isinstance(default, tuple):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    if isinstance(default, int):
        if not value.isdecimal() or int(value) < 1:
            raise ConfigError(f"{PREFIX}{name.upper()} must be a positive whole number, not {value!r}")
        return int(value)
    return _chosen(name, value)


CHOICES = {
    "pull_policy": ("Always", "IfNotPresent", "Never"),
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR"),
}


def _chosen(name: str, value: str) -> str:
    if name == "hub_endpoint" and "@" in value:
        raise ConfigError(f"{PREFIX}{name.upper()} must not hold a user name or password: every Job would show it")
    choices = CHOICES.get(name)
    if choices and value not in choices:
        raise ConfigError(f"{PREFIX}{name.upper()} must be one of {', '.join(choices)}, not {value!r}")
    return value
