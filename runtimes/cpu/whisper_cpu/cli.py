"""`whisper-cpu`: the shared command with ONNX Runtime behind it."""

from __future__ import annotations

import sys

from whisper_models.artifact import Format
from whisper_runtime.cli import Command, run
from whisper_runtime.threads import available_threads

from whisper_cpu.engine import CpuEngine
from whisper_cpu.settings import CpuSettings


def make_engine(settings: CpuSettings) -> CpuEngine:
    """An engine as the settings want it; loads nothing yet."""
    return CpuEngine(settings.threads, settings.workers, settings.context, settings.attention)


def main() -> None:
    """The entry point of the package."""
    command = Command(
        name="whisper-cpu",
        about="Speech to text on any CPU: Whisper over ONNX Runtime.",
        form=Format.ONNX,
        settings=CpuSettings,
        defaults={"port": 5004, "precision": "int8", "threads": available_threads()},
        engine=make_engine,
    )
    sys.exit(run(command))
