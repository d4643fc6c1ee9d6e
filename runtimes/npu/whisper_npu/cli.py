"""`whisper-npu`: the shared command with OpenVINO behind it, and `compile`, which fills the cache ahead."""

from __future__ import annotations

import sys

from whisper_models.artifact import Format
from whisper_runtime.cli import Action, Command, run
from whisper_runtime.engine import Artifact
from whisper_runtime.errors import DeviceLost
from whisper_runtime.serving.verify import verify
from whisper_runtime.threads import available_threads

from whisper_npu.engine import NpuEngine, OpenVinoDevices
from whisper_npu.settings import NpuSettings

_KEPT = {
    "none": "nothing is kept, as it compiles in seconds or the cache cannot be written",
    "hit": "it was there",
    "miss": "compiled and kept",
    "damaged": "what was there was damaged, compiled anew",
    "rejected": "what was there did not fit, compiled anew",
}


def make_engine(settings: NpuSettings) -> NpuEngine:
    """An engine as the settings want it; loads nothing yet."""
    return NpuEngine(settings, OpenVinoDevices())


def compile_ahead(settings: NpuSettings, artifact: Artifact) -> int:
    """Compile for the device that would serve, and keep what came of it; 1 if there is none."""
    if settings.compile_cache is None:
        raise ValueError("compile needs --compile-cache: the folder that keeps the compiled model")
    verify(artifact, settings.threads)
    engine = make_engine(settings)
    try:
        engine.load(artifact)
        engine.compile()
    except DeviceLost as lost:
        print(f"whisper-npu: no device works: {lost.message}", file=sys.stderr)
        return 1
    finally:
        engine.close()
    use, kept = engine.info.device, engine.info.compile_cache
    why = f" ({use.fallback_reason})" if use.fallback_reason else ""
    print(f"{artifact.model} {artifact.precision} for {use.used}{why}: {_KEPT[kept]}")
    return 0


def main() -> None:
    """The entry point of the package."""
    command = Command(
        name="whisper-npu",
        about="Speech to text by OpenVINO, on an NPU where there is one.",
        form=Format.OPENVINO,
        settings=NpuSettings,
        defaults={"port": 5001, "precision": "int8", "threads": available_threads(), "load_seconds": 1800.0},
        engine=make_engine,
        actions=(Action("compile", "compile the model for the device that would serve, and keep it", compile_ahead),),
    )
    sys.exit(run(command))
