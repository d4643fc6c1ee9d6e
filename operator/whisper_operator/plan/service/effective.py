"""The spec after defaults: resolved here and published in status, as a default in a CRD looks like drift to GitOps.

A default that depends on the operator's version would restart pods at its upgrade; these change only with a reason.
"""

from datetime import timedelta

from whisper_operator.api.pods import Placement, Resources
from whisper_operator.api.units import amount, seconds
from whisper_operator.api.whisperservice import (
    REQUEST_TIMEOUT,
    CpuRuntime,
    DeviceOrder,
    Devices,
    Effective,
    EffectiveRouting,
    EffectiveRuntime,
    HealthCheck,
    NpuRuntime,
    Routing,
    RuntimeSpec,
    Timeouts,
    WhisperServiceSpec,
)
from whisper_operator.plan.service.runtimes import RUNTIMES, Accelerator
from whisper_operator.plan.types import Images

RESOURCES = Resources(
    # The requests are what an idle runtime needs, so that a laptop can hold two; the limits are what one may take.
    requests={"cpu": "250m", "memory": "512Mi"},
    limits={"cpu": "2", "memory": "4Gi"},
)
HEALTH_CHECK = HealthCheck(interval="1s", timeout="1s", retries=2)
# One may fail, be replaced, or lose its node while the other answers.
ROUTERS = 2
MAX_UPLOAD_SIZE = "64Mi"
MAX_QUEUED_AUDIO_SECONDS = 600


def effective(spec: WhisperServiceSpec, images: Images) -> Effective:
    """The spec with every default filled in."""
    asked = {name: getattr(spec.runtimes, name) for name in RUNTIMES}
    return Effective(
        runtimes=tuple(_runtime(name, one, images) for name, one in asked.items() if one is not None),
        routing=_routing(spec.routing or Routing()),
        exposure=(spec.exposure and spec.exposure.type) or "ClusterIP",
    )


def _runtime(name: str, asked: CpuRuntime | NpuRuntime, images: Images) -> EffectiveRuntime:
    waiting = asked.queue.max_audio_seconds if asked.queue else None
    order, devices = device_order(name, asked), devices_of(name, asked)
    return EffectiveRuntime(
        name=name,
        replicas=1 if asked.replicas is None else asked.replicas,
        model=asked.model,
        precision=asked.precision or RUNTIMES[name].precision,
        device_order=order,
        devices=devices or None,
        max_queued_audio_seconds=waiting or MAX_QUEUED_AUDIO_SECONDS,
        image=asked.image or images.runtimes[name],
        resources=_with(devices, asked.resources or RESOURCES),
    )


def device_order(name: str, asked: RuntimeSpec) -> DeviceOrder | None:
    """The devices that a pod tries; None for a runtime that has no choice."""
    chosen: DeviceOrder | None = asked.device_order if isinstance(asked, NpuRuntime) else None
    accelerator = RUNTIMES[name].accelerator
    return accelerator.device_order if chosen is None and accelerator else chosen


def devices_of(name: str, asked: RuntimeSpec) -> Devices:
    """The devices that each pod gets."""
    if asked.devices is not None:
        return asked.devices
    accelerator = wanted_accelerator(name, asked)
    return accelerator.devices if accelerator else ()


def placement_of(name: str, asked: RuntimeSpec) -> Placement | None:
    """Where the pods may run; None is anywhere."""
    if asked.placement is not None:
        return asked.placement
    accelerator = wanted_accelerator(name, asked)
    return accelerator.nodes if accelerator else None


def wanted_accelerator(name: str, asked: RuntimeSpec) -> Accelerator | None:
    """The runtime's own device, if its pods may use it at all."""
    accelerator, order = RUNTIMES[name].accelerator, device_order(name, asked)
    return accelerator if accelerator and order and accelerator.device_order[0] in order else None


def _with(devices: Devices, resources: Resources) -> Resources:
    """Kubernetes hands out devices as resources, of which request and limit must be the same."""
    counts = {one.resource_name: str(one.count or 1) for one in devices}
    if not counts:
        return resources
    return Resources(requests={**(resources.requests or {}), **counts}, limits={**(resources.limits or {}), **counts})


def _routing(asked: Routing) -> EffectiveRouting:
    timeouts = asked.timeouts or Timeouts()
    return EffectiveRouting(
        replicas=asked.replicas or ROUTERS,
        load_balancing=asked.load_balancing or "LeastRequest",
        health_check=_health_check(asked.health_check or HealthCheck()),
        request_timeout=timeouts.request or REQUEST_TIMEOUT,
        attempt_timeout=timeouts.attempt,
        max_upload_size=asked.max_upload_size or MAX_UPLOAD_SIZE,
    )


def _health_check(asked: HealthCheck) -> HealthCheck:
    return HealthCheck(
        interval=asked.interval or HEALTH_CHECK.interval,
        timeout=asked.timeout or HEALTH_CHECK.timeout,
        retries=asked.retries or HEALTH_CHECK.retries,
    )


def length(duration: str) -> timedelta:
    """`1m30s` as a time span."""
    return timedelta(seconds=seconds(duration))


def whole_bytes(quantity: str) -> int:
    """`64Mi` as a number of bytes."""
    return int(amount(quantity))
