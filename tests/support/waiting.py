"""Waiting for a condition with a deadline, so that no test sleeps and hopes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineExceededError(AssertionError):
    """The condition did not come true in time; the message carries what was seen last."""


def wait_until(see: Callable[[], T], *, within: float, every: float = 0.25, what: str = "") -> T:
    """Call `see` until it returns something true, and return that.

    Args:
        see: looks once; an AssertionError from it counts as "not yet".
        within: seconds until this gives up.
        every: seconds between two looks.
        what: names the awaited fact in the failure.
    """
    deadline = time.monotonic() + within
    last: object = None
    while True:
        try:
            if seen := see():
                return seen
            last = seen
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise DeadlineExceededError(f"not within {within:g} s: {what or see}; last seen: {last!r}")
        time.sleep(every)
