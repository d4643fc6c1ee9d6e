"""One frozen picture of a service as it is, from which conditions, columns and events are told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from whisper_operator.api.conditions import Reason
from whisper_operator.api.whisperservice import EffectiveRuntime
from whisper_operator.plan import names
from whisper_operator.plan.service.models import Found, deployment_named
from whisper_operator.plan.service.rollout import Rollout, rollout
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.service.volume import volume_trouble
from whisper_operator.plan.trouble import Trouble, trouble, unresponsive
from whisper_operator.plan.types import Manifest, ObservedService, RouterHealth

COMPONENT_LABEL = "app.kubernetes.io/component"


@dataclass(frozen=True, slots=True)
class RuntimePicture:
    """One runtime as it is.

    Attributes:
        healthy: pods that every router pod sends requests to; None while no router answers.
        serves: whether a request that comes to it would be answered: where routers disagree, one of them is enough.
        missed_by: router pods that find fewer healthy than another does.
        unresponsive: pods that run, and do not answer their probes any more.
    """

    runtime: EffectiveRuntime
    found: Found
    rollout: Rollout
    trouble: Trouble | None
    healthy: int | None
    serves: bool
    missed_by: tuple[str, ...]
    unresponsive: tuple[str, ...]

    @property
    def name(self) -> str:
        """The runtime's name."""
        return self.runtime.name

    @property
    def absent(self) -> bool:
        """Whether the cluster has no node for it: then the others are the whole chain, and nothing is waited for."""
        return self.trouble is not None and self.trouble.reason is Reason.NO_MATCHING_NODE

    @property
    def settled(self) -> bool:
        """Whether nothing about it is moving."""
        return self.found.ready and (self.rollout.settled or self.absent)

    @property
    def serving(self) -> int:
        """Pods that serve: the router's word, or the pods' own where the router cannot be asked."""
        return self.rollout.ready if self.healthy is None else self.healthy


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole service as it is."""

    model: str
    runtimes: tuple[RuntimePicture, ...]
    router: Rollout
    router_trouble: Trouble | None
    health: RouterHealth | None
    refusals: tuple[str, ...]
    taken: tuple[str, ...]

    @property
    def router_answers(self) -> bool:
        """Whether a router told the operator itself how it fares."""
        return self.health is not None and self.health.answers

    @property
    def router_serves(self) -> bool:
        """The router's own answer, or Kubernetes' word for it where the operator cannot reach the router."""
        return self.router_answers or self.router.ready > 0

    @property
    def active(self) -> RuntimePicture | None:
        """The first of the chain that serves."""
        return next((one for one in self.runtimes if one.serves), None)

    @property
    def silent_routers(self) -> tuple[str, ...]:
        """Router pods that did not answer although another did: where none does, the way to them may be at fault."""
        return self.health.silent if self.health is not None and self.health.answers else ()

    @property
    def ready(self) -> bool:
        """Whether a request would be answered now."""
        return self.router_serves and self.active is not None

    @property
    def settled(self) -> bool:
        """Whether everything is as the spec asks and the cluster allows, and nothing is moving."""
        return self.router.settled and all(one.settled for one in self.runtimes)


def picture(
    observed: ObservedService, target: Target, found: Mapping[str, Found], desired: Iterable[Manifest]
) -> Picture:
    """Put together what was observed and what was decided."""
    wanted = {one["metadata"]["name"]: one for one in desired if one["kind"] == "Deployment"}
    router = names.router(target.name)
    return Picture(
        model=observed.resource.spec.model,
        runtimes=tuple(
            _runtime_picture(observed, target, runtime, found[runtime.name], wanted)
            for runtime in target.effective.runtimes
        ),
        router=rollout(deployment_named(router, observed.owned), wanted[router]),
        router_trouble=trouble(_pods_of(observed, "router")),
        health=observed.router,
        refusals=observed.refusals,
        taken=observed.taken,
    )


def _runtime_picture(
    observed: ObservedService,
    target: Target,
    runtime: EffectiveRuntime,
    found: Found,
    wanted: Mapping[str, Manifest],
) -> RuntimePicture:
    name = names.runtime(target.name, runtime.name)
    rolled = rollout(deployment_named(name, observed.owned), wanted.get(name))
    health = observed.router if observed.router is not None and observed.router.answers else None
    seen = {} if health is None else health.seen(runtime.name)
    most = max((tier.healthy for tier in seen.values()), default=0)
    pods = _pods_of(observed, runtime.name)
    return RuntimePicture(
        runtime=runtime,
        found=found,
        rollout=rolled,
        trouble=volume_trouble(observed.modelset, pods) or trouble(pods),
        healthy=min((tier.healthy for tier in seen.values()), default=None),
        serves=rolled.ready > 0 if health is None else most > 0,
        missed_by=tuple(pod for pod, tier in seen.items() if tier.healthy < most),
        unresponsive=unresponsive(pods),
    )


def _pods_of(observed: ObservedService, component: str) -> list[Manifest]:
    return [pod for pod in observed.pods if (pod["metadata"].get("labels") or {}).get(COMPONENT_LABEL) == component]
