"""The only place that knows OpenVINO. It is loaded in processes of their own, one for each pipeline: see `child`."""

from whisper_npu.engine.devices import Devices
from whisper_npu.engine.npu import NpuEngine
from whisper_npu.engine.process import OpenVinoDevices

__all__ = ["Devices", "NpuEngine", "OpenVinoDevices"]
