"""An npu engine over devices that do not exist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from whisper_npu.engine import NpuEngine
from whisper_npu.fake import FakeDevices
from whisper_npu.settings import NpuSettings
from whisper_runtime.engine import Artifact, Options, Transcript
from whisper_runtime.serving.canary import FIRST, clip

VOICE = clip(FIRST)
HEARD = f"{len(VOICE)} samples were heard here, by nobody at all."


def artifact(folder: Path, model: str = "base", digest: str = "sha256:1") -> Artifact:
    (folder / "generation_config.json").write_text(json.dumps({"lang_to_id": {"<|en|>": 1, "<|de|>": 2}}))
    return Artifact(folder, model, "int8", size_bytes=1, digest=digest)


def engine_on(folder: Path, devices: FakeDevices, **settings: Any) -> NpuEngine:
    """Loaded, not compiled."""
    engine = NpuEngine(NpuSettings(**{"device_retry_seconds": 3600, **settings}), devices)
    engine.load(artifact(folder))
    return engine


def serving(folder: Path, devices: FakeDevices, **settings: Any) -> NpuEngine:
    engine = engine_on(folder, devices, **settings)
    engine.compile()
    return engine


def text_of(transcript: Transcript) -> str:
    return "".join(segment.text for segment in transcript.segments).strip()


def say(engine: NpuEngine, **options: Any) -> Transcript:
    return engine.transcribe(VOICE, Options(**options))
