"""What tells one runtime from another, in one table: everything else about them is the same code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from whisper_operator.api.pods import Placement
from whisper_operator.api.whisperservice import Device, DeviceOrder


@dataclass(frozen=True, slots=True)
class Accelerator:
    """What only a runtime has that compiles its model for a device.

    Attributes:
        device_order: devices to try, as `--device-order` names them; the first is the one that it is there for.
        nodes: where that first one is.
        devices: what a device plugin hands out for it.
    """

    device_order: DeviceOrder
    nodes: Placement
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """Facts about one runtime.

    Attributes:
        port: where it listens.
        format: what it loads.
        precision: what it serves unless told otherwise.
        starts_within: the longest that a pod may take from its first moment until it could serve.
        accelerator: None for one that has nothing to choose from.
    """

    port: int
    format: str
    precision: str
    starts_within: timedelta
    accelerator: Accelerator | None = None


def labelled(*labels: str) -> Placement:
    """Nodes with any of these labels, each `true`: an affinity, as a node selector knows no `or`."""
    terms = [{"matchExpressions": [{"key": label, "operator": "In", "values": ["true"]}]} for label in labels]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return Placement.model_validate({"affinity": {"nodeAffinity": required}})


RUNTIMES: Mapping[str, Kind] = MappingProxyType(
    {
        "npu": Kind(
            port=5001,
            format="openvino",
            precision="int8",
            # It gives itself half an hour to compile for each of its devices, and then ends.
            starts_within=timedelta(seconds=1860),
            accelerator=Accelerator(
                device_order=("NPU", "GPU", "CPU"),
                # Ours, or Node Feature Discovery's.
                nodes=labelled("whisper.livetranslate.io/npu", "intel.feature.node.kubernetes.io/npu"),
                devices=(Device(resource_name="npu.intel.com/accel"),),
            ),
        ),
        "cpu": Kind(
            port=5004,
            format="onnx",
            precision="int8",
            # A large model is read, and its canary transcribed.
            starts_within=timedelta(seconds=600),
        ),
    }
)
"""By name, in the order in which they are tried, as far as a service wants them."""
