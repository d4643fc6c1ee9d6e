"""WhisperService: which runtimes serve one model behind one address."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from whisper_operator.api.conditions import Conditions
from whisper_operator.api.modelset import MODEL_NAME_RULES
from whisper_operator.api.pods import Environment, Placement, Resources
from whisper_operator.api.resource import Resource
from whisper_operator.api.schema import (
    Duration,
    Image,
    Message,
    ModelName,
    ObjectName,
    Part,
    ProbeTime,
    RequestTime,
    ShortText,
    UploadSize,
    Url,
    rules,
)

KIND = "WhisperService"
PLURAL = "whisperservices"

CpuPrecision = Literal["int8", "int4", "fp32"]
LoadBalancing = Literal["LeastRequest", "RoundRobin", "Random"]


SUFFIXES = ("npu", "gpu", "mac", "cpu", "router")
KEPT = ", ".join(f"-{suffix}" for suffix in SUFFIXES)
NAME_RULE = (
    f"!self.metadata.name.matches('-({'|'.join(SUFFIXES)})$')",
    f"metadata.name must not end in one of {KEPT}: the operator gives such names to what it makes for other services",
)
REQUEST_TIMEOUT = "30m"
"""Of a request for which the spec says nothing."""
ALLOWED = f"duration(has(self.request) ? self.request : '{REQUEST_TIMEOUT}')"
TIMEOUTS_RULES = rules(
    (
        f"!has(self.attempt) || duration(self.attempt) <= {ALLOWED}",
        f"attempt must not be longer than request ({REQUEST_TIMEOUT} when absent)",
    )
)
RUNTIMES_RULES = rules(("has(self.cpu)", "spec.runtimes names no runtime: name at least one, for example cpu: {}"))


class ModelSetRef(Part):
    """A ModelSet in the same namespace."""

    name: ObjectName
    """Its name."""


class Queue(Part):
    """How much work may wait."""

    max_audio_seconds: Annotated[int, Field(ge=1, le=86400)] | None = None
    """Seconds of audio that may wait in one pod before it answers 503; 600 when absent."""


class CpuRuntime(Part):
    """ONNX Runtime on any node."""

    replicas: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Pods; 1 when absent."""
    precision: CpuPrecision | None = None
    """Precision to serve; int8 when absent."""
    resources: Resources | None = None
    """Compute resources; limits of 2 cores and 4Gi, and small requests, when absent."""
    placement: Placement | None = None
    """Where the pods may run; anywhere when absent."""
    env: Environment | None = None
    """Environment variables for the runtime."""
    queue: Queue | None = None
    """How much work may wait."""
    image: Image | None = None
    """Image of the runtime; the operator's setting when absent."""


class Runtimes(Part):
    """The runtimes that are wanted: one that is present is wanted."""

    model_config = ConfigDict(json_schema_extra=RUNTIMES_RULES)

    cpu: CpuRuntime | None = None
    """ONNX Runtime on any node."""


class HealthCheck(Part):
    """How the router asks runtimes whether they are ready."""

    interval: ProbeTime | None = None
    """Time between questions; 2s when absent."""
    timeout: ProbeTime | None = None
    """Time to answer; 1s when absent."""
    retries: Annotated[int, Field(ge=1, le=10)] | None = None
    """Failures in a row until a pod gets no more requests; 2 when absent."""


class Timeouts(Part):
    """How long requests may take."""

    model_config = ConfigDict(json_schema_extra=TIMEOUTS_RULES)

    request: RequestTime | None = None
    """From the request's end to the answer's end; 30m when absent."""
    attempt: RequestTime | None = None
    """How long one pod may take before the router gives the request to another; as long as `request` when absent."""


class Routing(Part):
    """The router."""

    replicas: Annotated[int, Field(ge=1, le=100)] | None = None
    """Router pods; 2 when absent, so that one may fail or be replaced while the other answers."""
    load_balancing: LoadBalancing | None = None
    """How the router chooses among pods; LeastRequest when absent."""
    health_check: HealthCheck | None = None
    """How the router asks runtimes whether they are ready."""
    timeouts: Timeouts | None = None
    """How long requests may take."""
    max_upload_size: UploadSize | None = None
    """Largest request body; 64Mi when absent."""


class Exposure(Part):
    """How the service is reached."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] | None = None
    """Type of the Service; ClusterIP when absent."""


class WhisperServiceSpec(Part):
    """What should be served."""

    model_set_ref: ModelSetRef
    """The ModelSet that has the model."""
    model: Annotated[ModelName, Field(json_schema_extra=MODEL_NAME_RULES)]
    """The one model that is offered."""
    runtimes: Runtimes
    """The runtimes that serve it."""
    routing: Routing | None = None
    """The router."""
    exposure: Exposure | None = None
    """How the service is reached."""


class RuntimeStatus(Part):
    """One runtime as it is."""

    name: Annotated[str, Field(max_length=16)]
    """npu, gpu, mac or cpu."""
    desired: Annotated[int, Field(ge=0)] = 0
    """Pods asked for."""
    ready: Annotated[int, Field(ge=0)] = 0
    """Pods that are ready."""
    healthy: Annotated[int, Field(ge=0)] | None = None
    """Pods that every router pod finds healthy; unknown while none answers."""
    model: ModelName | None = None
    """Model that it serves."""
    variant: Annotated[str, Field(max_length=64)] | None = None
    """Format and precision that it serves."""
    reason: Annotated[str, Field(max_length=64)] | None = None
    """Why it does not serve as asked."""
    message: Message | None = None
    """The same in a sentence."""


class EffectiveRuntime(Part):
    """One runtime after defaults."""

    name: Annotated[str, Field(max_length=16)]
    """npu, gpu, mac or cpu."""
    replicas: Annotated[int, Field(ge=0)]
    """Pods."""
    precision: Annotated[str, Field(max_length=32)]
    """Precision."""
    max_queued_audio_seconds: Annotated[int, Field(ge=1)]
    """Seconds of audio that may wait in one pod."""
    image: Image
    """Image."""
    resources: Resources
    """Compute resources."""


class EffectiveRouting(Part):
    """The router after defaults."""

    replicas: Annotated[int, Field(ge=1)]
    """Pods."""
    load_balancing: LoadBalancing
    """How the router chooses among pods."""
    health_check: HealthCheck
    """How the router asks runtimes whether they are ready."""
    request_timeout: Duration
    """How long a request may take."""
    attempt_timeout: Duration | None = None
    """How long one pod may take before the request goes to another; no limit of its own when absent."""
    max_upload_size: Annotated[str, Field(max_length=24)]
    """Largest request body."""


class Effective(Part):
    """The spec after defaults: what the operator works with."""

    runtimes: Annotated[tuple[EffectiveRuntime, ...], Field(max_length=8)]
    """Each runtime."""
    routing: EffectiveRouting
    """The router."""
    exposure: Annotated[str, Field(max_length=16)]
    """Type of the Service."""


class WhisperServiceStatus(Part):
    """What is served."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the spec that this speaks about."""
    conditions: Conditions = ()
    """Ready, Reconciling, Stalled, ModelsReady, RoutingReady, Degraded."""
    url: Url | None = None
    """Address inside the cluster."""
    active_runtime: Annotated[str, Field(max_length=16)] | None = None
    """The runtime that gets requests now."""
    chain: ShortText | None = None
    """The runtimes in the order in which they are tried."""
    runtimes: Annotated[tuple[RuntimeStatus, ...], Field(max_length=8)] = ()
    """Each runtime."""
    effective: Effective | None = None
    """The spec after defaults."""


class WhisperService(Resource):
    """One model, served by runtimes behind one router."""

    kind: Annotated[str, Field(max_length=64)] = KIND
    spec: WhisperServiceSpec
    status: WhisperServiceStatus = Field(default_factory=WhisperServiceStatus)
