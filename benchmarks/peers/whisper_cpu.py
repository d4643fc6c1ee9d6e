"""Our own cpu engine."""

from __future__ import annotations

from whisper_cpu.engine import load as load_engine

from benchmarks.peers import Setting
from benchmarks.peers.runtime import OurRuntime


def load(setting: Setting) -> OurRuntime:
    return OurRuntime(load_engine(setting.folder, setting.threads, setting.context))
