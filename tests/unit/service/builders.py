"""Small inputs for planning a service, with what a case changes as arguments."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from whisper_operator.api.modelset import ModelSet
from whisper_operator.api.whisperservice import WhisperService, WhisperServiceSpec
from whisper_operator.plan.service import plan_service
from whisper_operator.plan.types import Defaults, Images, ObservedService, Plan, RouterHealth, TierHealth

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
IMAGES = Images(models="models:1", runtimes={"npu": "npu:1", "cpu": "cpu:1"}, router="router:1")
DEFAULTS = Defaults(images=IMAGES)
DIGEST = "sha256:" + "0" * 64
Object = dict[str, Any]


def service(name: str = "speech", *, status: Object | None = None, **spec: Any) -> WhisperService:
    least = {"modelSetRef": {"name": "models"}, "model": "tiny.en", "runtimes": {"cpu": {"replicas": 2}}}
    metadata = {"name": name, "namespace": "demo", "uid": "5e51", "generation": 3}
    return WhisperService.model_validate({"metadata": metadata, "spec": least | spec, "status": status or {}})


def modelset(state: str = "Ready", *, model: str = "tiny.en", digest: str = DIGEST, **variant: Any) -> ModelSet:
    named = {"name": model, "format": "onnx", "precision": "int8"}
    offered = {"name": model, "variants": [{"format": "onnx", "precision": "int8"}]}
    return ModelSet.model_validate(
        {
            "metadata": {"name": "models", "namespace": "demo", "uid": "0de1", "generation": 1},
            "spec": {"models": [offered]},
            "status": {
                "variants": [named | {"state": state, "digest": digest} | variant],
                "storage": {"claimName": "models-models"},
            },
        }
    )


def observed(**fields: Any) -> ObservedService:
    usual: Object = {
        "resource": service(),
        "owned": (),
        "pods": (),
        "modelset": modelset(),
        "now": NOW,
        "defaults": DEFAULTS,
        "router": None,
    }
    return ObservedService(**usual | fields)


def live(plan: Plan, *, ready: dict[str, int] | None = None) -> tuple[Object, ...]:
    """The objects of a plan as the API server would hold them.

    Args:
        plan: what was applied.
        ready: pods that are ready, by the Deployment's name; all of them where it is not named.
    """
    return tuple(_stored(number, one, ready or {}) for number, one in enumerate(plan.apply))


def _stored(number: int, manifest: Object, ready: dict[str, int]) -> Object:
    found = manifest | {"metadata": manifest["metadata"] | {"uid": f"uid-{number}", "generation": 1}}
    if manifest["kind"] == "Deployment":
        wanted = manifest["spec"]["replicas"]
        count = ready.get(manifest["metadata"]["name"], wanted)
        found["status"] = {
            "observedGeneration": 1,
            "replicas": wanted,
            "updatedReplicas": wanted,
            "readyReplicas": count,
        }
    return found


def health(*cpu: int | None, total: int = 2) -> RouterHealth:
    """Healthy cpu pods as each router pod sees them; None for one that does not answer."""
    return RouterHealth(
        {
            f"speech-router-{number}": None if healthy is None else {"cpu": TierHealth(healthy, total)}
            for number, healthy in enumerate(cpu)
        }
    )


def serving(**fields: Any) -> ObservedService:
    """A service that has reached what was asked for."""
    first = observed(**fields)
    return observed(**{"owned": live(plan_service(first)), "router": health(2, 2)} | fields)


def again(before: ObservedService, plan: Plan, **fields: Any) -> ObservedService:
    """The same service after its plan was carried out."""
    resource = before.resource.model_copy(
        update={"status": type(before.resource.status).model_validate(plan.status or {})}
    )
    return observed(**{"resource": resource, "owned": live(plan), "router": before.router} | fields)


def conditions(plan: Plan) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition, by type."""
    return {one["type"]: (one["status"], one["reason"]) for one in (plan.status or {})["conditions"]}


def kinds(objects: Sequence[Object]) -> list[str]:
    return sorted(f"{one['kind']}/{one['metadata']['name']}" for one in objects)


def configuration(spec: WhisperServiceSpec) -> str:
    """The Envoy configuration that a spec leads to."""
    resource = service().model_copy(update={"spec": spec})
    plan = plan_service(observed(resource=resource))
    return str(next(one for one in plan.apply if one["kind"] == "ConfigMap")["data"]["envoy.yaml"])
