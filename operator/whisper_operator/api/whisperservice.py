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
    Timestamp,
    UploadSize,
    Url,
    keyed_by,
    rules,
)

KIND = "WhisperService"
PLURAL = "whisperservices"

SET = {"x-kubernetes-list-type": "set"}
CpuPrecision = Literal["int8", "int4", "fp32"]
NpuPrecision = Literal["fp16", "int8", "int4"]
DeviceOrder = Annotated[
    tuple[Literal["NPU", "GPU", "CPU"], ...], Field(min_length=1, max_length=3, json_schema_extra=SET)
]
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
RUNTIMES_RULES = rules(
    ("has(self.npu) || has(self.cpu)", "spec.runtimes names no runtime: name at least one, for example cpu: {}")
)


class ModelSetRef(Part):
    """A ModelSet in the same namespace."""

    name: ObjectName
    """Its name."""


class Queue(Part):
    """How much work may wait."""

    max_audio_seconds: Annotated[int, Field(ge=1, le=86400)] | None = None
    """Seconds of audio that may wait in one pod before it answers 503; 600 when absent."""


class Device(Part):
    """Devices that a plugin of the node hands out."""

    resource_name: Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?/[-._A-Za-z0-9]+$")]
    """Name of the extended resource, such as `npu.intel.com/accel`."""
    count: Annotated[int, Field(ge=1, le=64)] | None = None
    """How many of them each pod gets; 1 when absent."""


Devices = Annotated[tuple[Device, ...], Field(max_length=8, json_schema_extra=keyed_by("resourceName"))]


class PullSecret(Part):
    """A Secret of type kubernetes.io/dockerconfigjson in the same namespace."""

    name: ObjectName
    """Its name."""


class RuntimeSpec(Part):
    """What can be said about every runtime."""

    replicas: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Pods; 1 when absent."""
    model: Annotated[ModelName, Field(json_schema_extra=MODEL_NAME_RULES)] | None = None
    """Model that this runtime serves instead of the service's, such as a smaller one; its answers say so."""
    resources: Resources | None = None
    """Compute resources; limits of 2 cores and 4Gi, and small requests, when absent."""
    placement: Placement | None = None
    """Where the pods may run; anywhere when absent."""
    devices: Devices | None = None
    """Devices that each pod gets, beside `resources`; none when absent."""
    supplemental_groups: (
        Annotated[tuple[Annotated[int, Field(ge=1, le=2147483647)], ...], Field(max_length=16, json_schema_extra=SET)]
        | None
    ) = None
    """Groups of the pods beside their own: those that may open the devices, such as the node's `render`."""
    runtime_class_name: ObjectName | None = None
    """RuntimeClass of the pods; the cluster's default when absent."""
    env: Environment | None = None
    """Environment variables for the runtime."""
    concurrency: Annotated[int, Field(ge=1, le=64)] | None = None
    """Requests that one pod transcribes at the same time, on the same cores; 1 when absent."""
    queue: Queue | None = None
    """How much work may wait."""
    image: Image | None = None
    """Image of the runtime; the operator's setting when absent."""
    image_pull_secrets: (
        Annotated[tuple[PullSecret, ...], Field(max_length=16, json_schema_extra=keyed_by("name"))] | None
    ) = None
    """Secrets for pulling the image, beside the operator's."""


class NpuRuntime(RuntimeSpec):
    """OpenVINO on nodes with an NPU."""

    precision: NpuPrecision | None = None
    """Precision to serve; int8 when absent."""
    device_order: DeviceOrder | None = None
    """Devices that a pod tries, the best first; NPU, GPU, CPU when absent. One that is not named is never used."""
    placement: Placement | None = None
    """Where the pods may run. When absent: on nodes with the label `whisper.livetranslate.io/npu=true` or
    `intel.feature.node.kubernetes.io/npu=true` if `deviceOrder` names the NPU, else anywhere. `{}` is anywhere."""
    devices: Devices | None = None
    """Devices that each pod gets, beside `resources`. When absent: one `npu.intel.com/accel` if `deviceOrder` names the
    NPU. A pod that may fall to the integrated GPU needs that device, too: name both."""


class CpuRuntime(RuntimeSpec):
    """ONNX Runtime on any node."""

    precision: CpuPrecision | None = None
    """Precision to serve; int8 when absent."""


class Runtimes(Part):
    """The runtimes that are wanted: one that is present is wanted."""

    model_config = ConfigDict(json_schema_extra=RUNTIMES_RULES)

    npu: NpuRuntime | None = None
    """OpenVINO on nodes with an NPU."""
    cpu: CpuRuntime | None = None
    """ONNX Runtime on any node."""


class HealthCheck(Part):
    """How the router asks runtimes whether they are ready."""

    interval: ProbeTime | None = None
    """Time between questions; 1s when absent."""
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
    model: ModelName | None = None
    """Model, where it is another than the service's."""
    precision: Annotated[str, Field(max_length=32)]
    """Precision."""
    device_order: DeviceOrder | None = None
    """Devices that a pod tries, the best first; absent where there is no choice."""
    devices: Devices | None = None
    """Devices that each pod gets; they are in `resources`, too."""
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


class Failover(Part):
    """One time that a runtime further down the chain took over."""

    time: Timestamp
    """When it was noticed."""
    from_runtime: Annotated[str, Field(max_length=16)]
    """The runtime that no longer serves."""
    to_runtime: Annotated[str, Field(max_length=16)]
    """The one that took over."""
    reason: Annotated[str, Field(max_length=64)]
    """Why, in one word."""
    message: Message
    """The same in a sentence."""


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
    last_failover: Failover | None = None
    """The last time that a runtime further down the chain took over; it stays when the better one is back."""
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
