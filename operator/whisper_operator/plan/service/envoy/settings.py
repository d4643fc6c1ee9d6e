"""What the router is to do, free of Kubernetes and of Envoy's words."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

MEBIBYTE = 1024 * 1024


class LoadBalancing(StrEnum):
    """How a pod is chosen among the healthy ones of a tier."""

    LEAST_REQUEST = "LeastRequest"
    ROUND_ROBIN = "RoundRobin"
    RANDOM = "Random"


LONGEST_DRAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tier:
    """One runtime of the chain: each address behind `hosts` is a pod of it."""

    runtime: str
    hosts: tuple[str, ...]
    port: int


@dataclass(frozen=True, slots=True)
class Probe:
    """How the router looks at each pod."""

    interval: timedelta = timedelta(seconds=1)
    timeout: timedelta = timedelta(seconds=1)
    retries: int = 2


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """Everything that the configuration depends on.

    Attributes:
        name: of the service; names the proxy in its own statistics.
        chain: the tiers in the order in which they are tried.
        request_timeout: how long one request may take, its second attempts included.
        attempt_timeout: how long one pod may take before another is asked; None: as long as the request may.
        max_upload_bytes: a larger body is refused with 413; up to it a body is kept so that it can be sent again.
        drain_key: opens the page that drains the router before it ends.
        max_heap_bytes: what the proxy's heap may reach before it refuses requests instead of being killed.
        address: where the two public listeners bind.
        admin_port: bound to the loopback only, whatever `address` says.
    """

    name: str
    chain: tuple[Tier, ...]
    drain_key: str
    load_balancing: LoadBalancing = LoadBalancing.LEAST_REQUEST
    probe: Probe = Probe()
    request_timeout: timedelta = timedelta(minutes=10)
    attempt_timeout: timedelta | None = None
    max_upload_bytes: int = 64 * MEBIBYTE
    max_heap_bytes: int = 768 * MEBIBYTE
    address: str = "0.0.0.0"  # noqa: S104 - a pod's listener is for the whole cluster
    http_port: int = 8080
    stats_port: int = 9902
    admin_port: int = 9901

    @property
    def runtime_timeout(self) -> timedelta:
        """After this a runtime says itself that it is late: just before the router would, and with better words."""
        return max(self.request_timeout - timedelta(seconds=2), self.request_timeout * 0.9)

    @property
    def drain_timeout(self) -> timedelta:
        """How long the router waits at its end for requests that are under way."""
        return min(self.request_timeout, LONGEST_DRAIN)
