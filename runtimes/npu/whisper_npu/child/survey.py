"""Which devices there are, by asking OpenVINO."""

from __future__ import annotations

from typing import Any

import openvino

from whisper_npu.engine.messages import FoundDevice, Survey

_DRIVER = ("NPU_DRIVER_VERSION", "GPU_DRIVER_VERSION")
_MEMORY = ("NPU_DEVICE_TOTAL_MEM_SIZE", "GPU_DEVICE_TOTAL_MEM_SIZE")
_TRAITS = ("DEVICE_ARCHITECTURE", "OPTIMIZATION_CAPABILITIES")


def survey() -> Survey:
    """The devices whose drivers answer."""
    core = openvino.Core()
    return Survey(tuple(_describe(core, name) for name in core.available_devices), openvino.get_version())


def _describe(core: Any, name: str) -> FoundDevice:
    offered = set(core.get_property(name, "SUPPORTED_PROPERTIES"))

    def first(names: tuple[str, ...]) -> Any:
        return next((core.get_property(name, one) for one in names if one in offered), None)

    driver, memory = first(_DRIVER), first(_MEMORY)
    return FoundDevice(
        name=name,
        description=str(core.get_property(name, "FULL_DEVICE_NAME")),
        driver=None if driver is None else str(driver),
        memory_bytes=None if memory is None else int(memory),
        traits=tuple(f"{one}={core.get_property(name, one)}" for one in _TRAITS if one in offered),
    )
