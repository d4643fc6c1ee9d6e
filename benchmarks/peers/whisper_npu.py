"""Our own npu engine on OpenVINO's CPU device; it computes in a child process."""

from __future__ import annotations

from whisper_npu.engine import NpuEngine, OpenVinoDevices
from whisper_npu.settings import NpuSettings
from whisper_runtime.engine import Artifact

from benchmarks.peers import Setting
from benchmarks.peers.runtime import OurRuntime


def load(setting: Setting) -> OurRuntime:
    settings = NpuSettings(device_order=("CPU",), threads=setting.threads, context=setting.context)
    engine = NpuEngine(settings, OpenVinoDevices())
    engine.load(Artifact(setting.folder, "base" if setting.multilingual else "base.en", "int8", size_bytes=0))
    engine.compile()
    return OurRuntime(engine)
