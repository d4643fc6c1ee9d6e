"""Goes back to a better device: tries it from time to time while another one serves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_LOG = logging.getLogger(__name__)
_LONGEST = 16
"""Times the first pause: a compilation that fails takes minutes of somebody's cores."""


class Closed(Exception):  # noqa: N818 - a signal to our own thread
    """The engine ends."""


class Returning:
    """One thread, while it is needed."""

    def __init__(self, attempt: Callable[[], bool], needed: Callable[[], bool], pause: float) -> None:
        """`attempt` says whether it changed anything; it and what it waits for call `unless_closed`."""
        self._attempt, self._needed, self._pause = attempt, needed, pause
        self._closed = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start, unless it goes on already."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="returning", daemon=True)
                self._thread.start()

    def unless_closed(self) -> None:
        """A stop for work that ends with the engine."""
        if self._closed.is_set():
            raise Closed

    def close(self, within: float) -> None:
        """End the thread."""
        self._closed.set()
        thread = self._thread
        if thread is not None:
            thread.join(within)

    def _over(self) -> bool:
        """Whether it may end; decided while nobody begins, who would take it for one that goes on."""
        with self._starting:
            if self._needed():
                return False
            self._thread = None
            return True

    def _run(self) -> None:
        pause = self._pause
        while not self._over() and not self._closed.wait(pause):
            try:
                changed = self._attempt()
            except Closed:
                return
            except Exception:  # noqa: BLE001 - whatever it is, the device in use goes on serving
                _LOG.exception("a better device could not be tried")
                changed = False
            pause = self._pause if changed else min(2 * pause, _LONGEST * self._pause)
