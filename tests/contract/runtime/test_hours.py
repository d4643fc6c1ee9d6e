"""Speech for an hour, heard as a job: what the process takes after its first minutes it takes at the end."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from tests.contract.runtime.service import ENGINES, Service, serving
from tests.contract.runtime.test_busy import GROWTH, resident
from tests.support.clips import telephone
from tests.support.waiting import wait_until
from tests.support.words import jfk

RATE = 16_000
SECONDS = float(os.environ.get("WHISPER_SPEECH_SECONDS", "3600"))
WARM = 0.2
"""The part of the job after which all lengths of windows were met, and memory is to grow no more."""


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 900)
@pytest.mark.parametrize("engine", ["cpu", "npu"])
def test_an_hour_of_speech_is_heard_in_the_memory_of_minutes(engine: str) -> None:
    once = np.concatenate([jfk(), telephone()])
    times = round(SECONDS * RATE / len(once))
    with serving(*ENGINES[engine]()) as service:
        taken = service.client.post("/batch/process", files={"file": flac(once, times)})
        at = taken.headers["location"]
        told(service, at, lambda job: bool(job["progress"] >= WARM))
        warm, beyond = resident(), [0.0]

        def over(job: dict[str, Any]) -> bool:
            beyond.append(resident() - warm)
            return job["status"] not in ("queued", "running")

        job = told(service, at, over)
    print(f"{engine}: {max(beyond) / 2**20:+.0f} MiB to {warm / 2**20:.0f} in {job['audio_seconds']} s")  # noqa: T201 - seen with -s
    assert (job["status"], job["error"]) == ("done", None)
    assert job["result"]["text"].lower().count("fellow americans") == times
    assert max(beyond) < GROWTH


def told(service: Service, at: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What is said of the job once this is true of it."""

    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = service.client.get(at).json()
        return job if until(job) else None

    return cast("dict[str, Any]", wait_until(look, within=SECONDS + 600, every=1, what="the job has come so far"))


def flac(audio: np.ndarray[Any, Any], times: int) -> bytes:
    """The same over and over."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", RATE, 1, "PCM_16", format="FLAC") as out:
        for _ in range(times):
            out.write(audio)
    return file.getvalue()
