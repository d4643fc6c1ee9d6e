"""The two frozen values between which planning lies: what was observed, and the plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from whisper_operator.api.modelset import ModelSet
from whisper_operator.api.whisperservice import WhisperService

Manifest: TypeAlias = dict[str, Any]
"""One Kubernetes object."""


@dataclass(frozen=True, slots=True)
class Key:
    """What the queue holds: one custom resource."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object to prune; the UID makes sure that it is still the one that was seen."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Images:
    """The images that pods of ours run."""

    models: str
    runtimes: Mapping[str, str]
    router: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Defaults:
    """The operator's settings as far as planning needs them."""

    images: Images
    hub_endpoint: str | None = None
    """Hub for ModelSets that name none; the public hub when None."""
    cluster_domain: str = "cluster.local"


@dataclass(frozen=True, slots=True)
class Event:
    """One Kubernetes Event about the custom resource."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. `execute` writes only what differs from the cluster."""

    apply: tuple[Manifest, ...] = ()
    prune: tuple[ObjectRef, ...] = ()
    hold: tuple[ObjectRef, ...] = ()
    """Objects that others made and that are needed here, too: they get one owner more."""
    release: tuple[ObjectRef, ...] = ()
    """Objects that others need and that are needed here no more: they get one owner less."""
    status: Manifest | None = None
    events: tuple[Event, ...] = ()
    look_again: timedelta | None = None


@dataclass(frozen=True, slots=True)
class TierHealth:
    """One runtime as the routers see it."""

    healthy: int
    total: int


@dataclass(frozen=True, slots=True)
class RouterHealth:
    """What the router pods' own statistics say; read by `plan.service.health.view`."""

    views: Mapping[str, Mapping[str, TierHealth] | None]
    """By router pod that was asked: each runtime as it sees it, or None where it did not answer."""

    @property
    def silent(self) -> tuple[str, ...]:
        """Router pods that did not answer."""
        return tuple(pod for pod, view in self.views.items() if view is None)

    @property
    def answers(self) -> bool:
        """Whether any router pod did."""
        return len(self.silent) < len(self.views)

    def seen(self, runtime: str) -> Mapping[str, TierHealth]:
        """A runtime as each router pod that answered sees it; none of its pods where it knows none."""
        return {pod: view.get(runtime, TierHealth(0, 0)) for pod, view in self.views.items() if view is not None}


@dataclass(frozen=True, slots=True)
class ObservedService:
    """Everything that planning a WhisperService may depend on."""

    resource: WhisperService
    owned: tuple[Manifest, ...]
    """Live objects with our label and our UID as owner."""
    pods: tuple[Manifest, ...]
    """Live pods with the service's label."""
    modelset: ModelSet | None
    now: datetime
    defaults: Defaults
    router: RouterHealth | None = None
    """None: there is no router pod to ask."""
    modelset_error: str | None = None
    """Why the ModelSet that is there cannot be read; `modelset` is None then."""
    refusals: tuple[str, ...] = ()
    """What the API server said when it refused objects of the last plan, sentence by sentence."""
    taken: tuple[str, ...] = ()
    """`Kind/name` of objects whose names this service needs but which are someone else's."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a Job's pod says about itself while it works."""

    stage: str
    bytes_done: int = 0
    bytes_total: int | None = None
    speed: float | None = None
    eta: float | None = None


@dataclass(frozen=True, slots=True)
class ObservedModelSet:
    """Everything that planning a ModelSet may depend on."""

    resource: ModelSet
    claim: Manifest | None
    """The live claim under the name that the set uses."""
    claim_events: tuple[Manifest, ...]
    """Warning Events about the claim, newest last."""
    storage_classes: Mapping[str, Manifest] | None
    """By name; None where the operator may not read them."""
    jobs: tuple[Manifest, ...]
    """Live Jobs with our label on this claim, also those of other sets."""
    pods: tuple[Manifest, ...]
    """Live pods of those Jobs."""
    job_events: tuple[Manifest, ...]
    """Warning Events about Jobs that have no pod, and about pods, also of runtimes, that do not start."""
    progress: Mapping[str, Progress]
    """By Job name, for pods that answered."""
    readers: tuple[Manifest, ...]
    """Live pods of runtimes that read the set's claim."""
    services: tuple[str, ...]
    """Names of WhisperServices that refer to the set."""
    now: datetime
    defaults: Defaults
    users: tuple[WhisperService, ...] = ()
    """WhisperServices that refer to this set, or to another one on its claim."""
    others: tuple[ModelSet, ...] = ()
    """Other ModelSets on the same claim."""
    refusals: tuple[str, ...] = ()
    """What the API server said when it refused objects of the last plan, sentence by sentence."""
    taken: tuple[str, ...] = ()
    """`Kind/name` of objects whose names this set needs but which are someone else's."""
