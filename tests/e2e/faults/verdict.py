"""What callers saw while something broke, and whether that is what the table says. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

PROMPT = 15.0
"""Seconds in which a light request is answered where nothing hangs, on a machine with far too much else to do.

One that hangs does so for half a minute at least, until the node ends the pod.
"""


class Kind(StrEnum):
    """What was asked for."""

    TRANSCRIPTION = "transcription"
    """Waits in a runtime's queue."""
    LIGHT = "light"
    """The list of models: goes the same way, and a runtime answers it from memory, so its time is the router's."""


class Ending(StrEnum):
    """How a request ended."""

    GOOD = "good"
    """200, and every word right."""
    WRONG = "wrong"
    """200 with something else in it."""
    REFUSED = "refused"
    """Any other status."""
    TIMED_OUT = "504"
    """The contract's own word that it took too long."""
    CUT = "cut"
    """Its connection ended, or could not be made: whoever held the other end is gone."""
    HUNG = "hung"
    """No answer in the time that the caller waits."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of one caller; times are seconds of one monotonic clock."""

    caller: int
    kind: Kind
    began: float
    ended: float
    ending: Ending
    detail: str = ""
    attempts: int = 1
    runtime: str = ""
    """Which one answered."""

    @property
    def took(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class Expectation:
    """What callers may notice of a fault.

    Attributes:
        fresh_within: a request that begins so many seconds after the fault, or later, is good, and a light one is
            answered promptly.
        tolerated: how a request that began earlier may end, besides well.
        longest: seconds that any request may take: none hangs for ever.
        met: the fault takes something from under requests, so at least one must have been sent again.
        passed_to: the runtime that must have answered some transcriptions since the fault.
    """

    fresh_within: float = 0.0
    tolerated: frozenset[Ending] = field(default_factory=frozenset)
    longest: float = 180.0
    met: bool = False
    passed_to: str = ""

    def text(self) -> str:
        """For the page."""
        lost = "none lost"
        if self.tolerated:
            kinds = " or ".join(sorted(_SAID[ending] for ending in self.tolerated))
            lost = f"those begun before or within {self.fresh_within:g} s may end in {kinds}; every later one is good"
        elif self.fresh_within:
            lost += f", new ones unharmed within {self.fresh_within:g} s"
        if self.passed_to:
            lost += f", the {self.passed_to} answers"
        return f"{lost}; no request takes longer than {self.longest:g} s"


_SAID = {Ending.TIMED_OUT: "a 504", Ending.CUT: "a broken connection"}


@dataclass(frozen=True, slots=True)
class Observation:
    """All requests, and when the fault was."""

    requests: Sequence[Request]
    fault_at: float

    def lost(self) -> list[Request]:
        """Every request that did not end well."""
        return [request for request in self.requests if request.ending is not Ending.GOOD]

    def first_good(self) -> list[float]:
        """For each light caller, the seconds from the fault to its first good answer to a request begun after it."""
        first: dict[int, float] = {}
        for request in sorted(self.requests, key=lambda each: each.ended):
            after = request.began >= self.fault_at and request.ending is Ending.GOOD
            if request.kind is Kind.LIGHT and after:
                first.setdefault(request.caller, request.ended - self.fault_at)
        return sorted(first.values())


def complaints(seen: Observation, expected: Expectation) -> list[str]:
    """A sentence for each request that ended as it must not; empty when all is as expected."""
    told = [_complaint(request, seen.fault_at, expected) for request in seen.requests]
    if not any(_is_fresh_light(request, seen.fault_at, expected) for request in seen.requests):
        told.append(f"no light request began {expected.fresh_within:g} s after the fault, or later: nothing is shown")
    if expected.met and not any(request.attempts > 1 for request in seen.requests):
        told.append("no request was sent again: the fault met none, and nothing is shown")
    if expected.passed_to and not any(
        _was_passed(request, seen.fault_at, expected.passed_to) for request in seen.requests
    ):
        told.append(f"the {expected.passed_to} has answered no transcription since the fault")
    return [each for each in told if each]


def _was_passed(request: Request, fault_at: float, runtime: str) -> bool:
    transcription = request.kind is Kind.TRANSCRIPTION and request.ending is Ending.GOOD
    return transcription and request.ended >= fault_at and request.runtime == runtime


def _is_fresh_light(request: Request, fault_at: float, expected: Expectation) -> bool:
    return request.kind is Kind.LIGHT and request.began - fault_at >= expected.fresh_within


def _complaint(request: Request, fault_at: float, expected: Expectation) -> str:
    since = request.began - fault_at
    who = f"caller {request.caller}'s {request.kind} begun {since:+.1f} s from the fault, after {request.took:.1f} s"
    if request.took > expected.longest:
        return f"{who}: longer than {expected.longest:g} s"
    fresh = since >= expected.fresh_within
    if request.ending is not Ending.GOOD and (fresh or request.ending not in expected.tolerated):
        return f"{who}: {request.ending} {request.detail}"
    if _is_fresh_light(request, fault_at, expected) and request.took > PROMPT:
        return f"{who}: good, but late"
    return ""
