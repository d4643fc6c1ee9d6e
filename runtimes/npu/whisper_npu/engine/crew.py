"""The pipelines of one device, one for each worker, and how patient to be with them."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

from whisper_npu.engine.blobs import Source

if TYPE_CHECKING:
    from whisper_runtime.engine import Stop, Transcript

    from whisper_npu.engine.devices import Pipeline
    from whisper_npu.engine.messages import FoundDevice, Wish

_LOOK = 0.05
_SLACK = 4
"""So much longer than its slowest answer so far a healthy device may take: beside others it has fewer cores."""


class Crew:
    """What serves until another device does. A pipeline is taken by one request at a time."""

    def __init__(self, wanted: str, device: FoundDevice, source: Source, patience: float) -> None:
        self.wanted, self.device, self.source = wanted, device, source
        self._patience = patience
        self._slowest = 0.0
        self._idle: queue.SimpleQueue[Pipeline] = queue.SimpleQueue()
        self._retired = threading.Event()

    def add(self, pipeline: Pipeline) -> None:
        """Another one, or one that is done with a request."""
        self._idle.put(pipeline)
        if self._retired.is_set():
            self._close_idle()

    def take(self, stop: Stop) -> Pipeline | None:
        """The next that is free; None once the crew is retired."""
        while not self._retired.is_set():
            try:
                return self._idle.get(timeout=_LOOK)
            except queue.Empty:
                stop()
        return None

    def hear(self, pipeline: Pipeline, wish: Wish, stop: Stop) -> Transcript:
        """Have it done, with the patience that this device has earned."""
        begun = time.monotonic()
        heard = pipeline.hear(wish, stop, max(self._patience, _SLACK * self._slowest))
        self._slowest = max(self._slowest, time.monotonic() - begun)
        return heard

    def retire(self) -> None:
        """Close what is free now, and the others when their requests are done."""
        self._retired.set()
        self._close_idle()

    def _close_idle(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return
