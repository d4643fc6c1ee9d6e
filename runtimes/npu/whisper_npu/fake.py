"""Devices without hardware, for tests of what takes an NPU to happen. They pass the same contract tests as real ones.

A device is there or not, refuses to compile, breaks at work, hangs, or mixes requests up, as it is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from whisper_runtime.engine import SAMPLE_RATE, Stop, Transcript, Waveform
from whisper_runtime.results import Segment, Timing, Word

from whisper_npu.engine.devices import DeviceFailure, Reason
from whisper_npu.engine.messages import FoundDevice, Opening, Survey, Wish

_STEP = 0.005


def _duration(audio: Waveform) -> str:
    return f" {len(audio)} samples were heard here, by nobody at all."


class FakeDevices:
    """`says` maps a waveform to its text."""

    def __init__(self, *names: str, says: Callable[[Waveform], str] = _duration) -> None:
        self.there = set(names)
        self.driver = "1.0"
        self.says = says
        self.unseen: DeviceFailure | None = None
        """What looking for devices raises."""
        self.refuses: dict[str, DeviceFailure] = {}
        """Device → what opening it raises."""
        self.breaks: dict[str, DeviceFailure] = {}
        """Device → what hearing raises, once its pipelines are open."""
        self.mixes: set[str] = set()
        """Devices that answer with the audio of the request before."""
        self.opened: list[tuple[str, dict[str, Any]]] = []
        """Each opening: device and properties."""
        self.open_now = 0
        self.wishes: list[tuple[str, Wish]] = []
        self.moving = threading.Event()
        """Clear it, and devices make no progress."""
        self.moving.set()

    def survey(self, stop: Stop, limit: float) -> Survey:  # noqa: ARG002 - the Protocol's argument
        """Those that are there."""
        stop()
        if self.unseen is not None:
            raise self.unseen
        found = (FoundDevice(name, f"a fake {name}", self.driver, memory_bytes=1 << 30) for name in sorted(self.there))
        return Survey(tuple(found), "0.0")

    def open(self, opening: Opening, stop: Stop, limit: float) -> FakePipeline:
        """Compile, which leaves a blob where the properties want it."""
        device, properties = opening.device, opening.properties
        self.wait(stop, limit, Reason.COMPILE_TIMEOUT)
        if device in self.refuses:
            raise self.refuses[device]
        if device not in self.there or not opening.folder.is_dir():
            raise DeviceFailure(Reason.COMPILE_FAILED, f"{device} cannot be opened")
        blob = Path(properties.get("CACHE_DIR", "")) / f"{device}.blob"
        if "CACHE_DIR" in properties and not blob.exists():
            blob.write_text(f"a model compiled for {device}")
        self.opened.append((device, dict(properties)))
        self.open_now += 1
        return FakePipeline(self, device)

    def wait(self, stop: Stop, limit: float, late: Reason) -> None:
        """Until devices make progress; what counts is how often they were looked at, not the time."""
        stop()
        for _ in range(round(limit / _STEP)):
            if self.moving.wait(_STEP):
                return
            stop()
        raise DeviceFailure(late, f"no answer for {limit:.0f} s")


class FakePipeline:
    """Says the text of what it is given."""

    def __init__(self, devices: FakeDevices, device: str) -> None:
        self._devices, self._device = devices, device
        self._before: Waveform | None = None
        self._closed = False

    def hear(self, wish: Wish, stop: Stop, limit: float) -> Transcript:
        """Fail if told to."""
        if self._closed:
            raise DeviceFailure(Reason.LOST, "it is closed")
        self._devices.wait(stop, limit, Reason.HUNG)
        if self._device in self._devices.breaks:
            raise self._devices.breaks[self._device]
        self._devices.wishes.append((self._device, wish))
        audio = wish.audio if self._device not in self._devices.mixes or self._before is None else self._before
        self._before = wish.audio
        text, end = self._devices.says(audio), len(wish.audio) / SAMPLE_RATE
        words = (Word(word=text, start=0.0, end=end, timing=Timing.DTW),) if wish.options.word_timestamps else None
        segment = Segment(id=0, start=0.0, end=end, text=text, words=words)
        return Transcript((segment,), wish.options.language or "en")

    def close(self) -> None:
        """Closed once, however often it is asked."""
        self._devices.open_now -= not self._closed
        self._closed = True
