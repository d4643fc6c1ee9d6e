"""The seam to the hardware: what devices there are, and pipelines compiled for them.

`process.OpenVinoDevices` is the real thing; the tests' fake drives what takes an NPU to happen.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from whisper_runtime.engine import Stop, Transcript

from whisper_npu.engine.messages import Opening, Survey, Wish


class Reason(StrEnum):
    """Why a device is not used, in a word."""

    NOT_FOUND = "not_found"  # no such device, or no driver for it
    COMPILE_FAILED = "compile_failed"
    COMPILE_TIMEOUT = "compile_timeout"
    CHECK_FAILED = "check_failed"  # it works, but requests can hear each other's audio
    LOST = "lost"  # it failed at work, and could not be opened again
    HUNG = "hung"  # it made no progress at work


class DeviceFailure(Exception):  # noqa: N818 - an event that the engine reacts to
    """A device could not be opened, or a pipeline broke; that pipeline is of no more use."""

    def __init__(self, reason: Reason, message: str, *, out_of_memory: bool = False) -> None:
        super().__init__(message)
        self.reason, self.message, self.out_of_memory = reason, message, out_of_memory


class Pipeline(Protocol):
    """A model compiled for a device. Used by one thread at a time."""

    def hear(self, wish: Wish, stop: Stop, limit: float) -> Transcript:
        """What was said; a device that makes no progress for `limit` seconds counts as hung.

        A `stop` that raises leaves the pipeline usable.

        Raises:
            DeviceFailure, and what `stop` raises
        """
        ...

    def close(self) -> None:
        """Give back what it holds, whatever it is doing."""


class Devices(Protocol):
    """The hardware of this machine."""

    def survey(self, stop: Stop, limit: float) -> Survey:
        """Which devices there are now.

        Raises:
            DeviceFailure, and what `stop` raises
        """
        ...

    def open(self, opening: Opening, stop: Stop, limit: float) -> Pipeline:
        """Compile a model for a device, within `limit` seconds.

        Raises:
            DeviceFailure, and what `stop` raises
        """
        ...
