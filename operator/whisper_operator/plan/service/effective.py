"""The spec after defaults: resolved here and published in status, as a default in a CRD looks like drift to GitOps.

A default that depends on the operator's version would restart pods at its upgrade; these change only with a reason.
"""

from datetime import timedelta
from typing import Final

from whisper_operator.api.pods import Resources
from whisper_operator.api.units import amount, seconds
from whisper_operator.api.whisperservice import (
    REQUEST_TIMEOUT,
    CpuRuntime,
    Effective,
    EffectiveRouting,
    EffectiveRuntime,
    HealthCheck,
    Routing,
    Timeouts,
    WhisperServiceSpec,
)
from whisper_operator.plan.types import Images

CPU: Final = "cpu"
CHAIN = (CPU,)
"""The runtimes in the order in which they are tried, as far as a service wants them."""

CPU_RESOURCES = Resources(
    # The requests are what an idle runtime needs, so that a laptop can hold two; the limits are what one may take.
    requests={"cpu": "250m", "memory": "512Mi"},
    limits={"cpu": "2", "memory": "4Gi"},
)
HEALTH_CHECK = HealthCheck(interval="2s", timeout="1s", retries=2)
# One may fail, be replaced, or lose its node while the other answers.
ROUTERS = 2
MAX_UPLOAD_SIZE = "64Mi"
MAX_QUEUED_AUDIO_SECONDS = 600


def effective(spec: WhisperServiceSpec, images: Images) -> Effective:
    """The spec with every default filled in."""
    return Effective(
        runtimes=() if spec.runtimes.cpu is None else (_cpu(spec.runtimes.cpu, images),),
        routing=_routing(spec.routing or Routing()),
        exposure=(spec.exposure and spec.exposure.type) or "ClusterIP",
    )


def _cpu(asked: CpuRuntime, images: Images) -> EffectiveRuntime:
    waiting = asked.queue.max_audio_seconds if asked.queue else None
    return EffectiveRuntime(
        name=CPU,
        replicas=1 if asked.replicas is None else asked.replicas,
        precision=asked.precision or "int8",
        max_queued_audio_seconds=waiting or MAX_QUEUED_AUDIO_SECONDS,
        image=asked.image or images.runtimes[CPU],
        resources=asked.resources or CPU_RESOURCES,
    )


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
