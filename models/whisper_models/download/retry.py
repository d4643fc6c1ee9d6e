"""How long to go on before a passing failure is a failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from whisper_models.download.failures import LONGEST_RETRY_AFTER, TryAgain


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds. A Job that gives up is started again by the operator, so this need not last for hours."""

    attempts: int = 4  # in a row without a new byte, or with no more than a trickle of them
    first_wait: float = 0.5  # doubled after each
    longest_wait: float = 20.0
    connect: float = 10.0
    silence: float = 30.0  # without a byte, in mid-transfer
    slowest: int = 8192  # bytes a second, over `silence`: the smallest model would take five hours


class Attempts:
    """Counts failures in a row and waits between them."""

    def __init__(self, patience: Patience, sleep: Callable[[float], None] = time.sleep) -> None:
        self._patience = patience
        self._sleep = sleep
        self._failed = 0

    def moved(self) -> None:
        """Something new arrived: the count begins anew."""
        self._failed = 0

    def wait(self, reason: TryAgain) -> None:
        """Wait before the next attempt, or raise the failure that this has become."""
        self._failed += 1
        pause = min(self._patience.first_wait * 2 ** (self._failed - 1), self._patience.longest_wait)
        pause = max(pause, reason.after or 0.0)
        if self._failed >= self._patience.attempts or pause > LONGEST_RETRY_AFTER:
            reason.failure.retry_after = reason.after
            raise reason.failure from reason
        self._sleep(pause)
