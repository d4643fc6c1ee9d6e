"""Whatever the API server or the way to it does: the operator gets over it by itself, without asking in a hot loop,
lives on, and then all is as it should be."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from tests.integration.faults.conftest import Hurt
from tests.support.api_faults import (
    Answer,
    ApiFaults,
    Call,
    Delay,
    Ends,
    ErrorEvent,
    Fault,
    Lost,
    Silence,
    Torn,
    Truncated,
    every,
    watches,
    writes,
)
from tests.support.waiting import wait_until

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """A fault.

    Attributes:
        says: what happens.
        begins: makes it happen, until the block ends.
        within: seconds after its end until all is right: a watch waits for 10 s, the rest is for slow machines.
        alike: another row does the same to the same code, so that this one is for the long form alone.
    """

    says: str
    begins: Callable[[ApiFaults], AbstractContextManager[None]]
    within: float = 90
    alike: bool = False


def to(
    fault: Fault, when: Callable[[Call], bool] = every, times: float = float("inf")
) -> Callable[[ApiFaults], AbstractContextManager[None]]:
    """The fault meets requests; open connections break, so that watches meet it, too."""

    @contextmanager
    def begins(proxy: ApiFaults) -> Iterator[None]:
        with proxy.fault(fault, when, times):
            proxy.drop()
            yield

    return begins


@contextmanager
def torn(proxy: ApiFaults) -> Iterator[None]:
    proxy.tear_streams(framed=False)
    yield


def answered(call: Call) -> bool:
    return call.verb != "watch"


def lists(call: Call) -> bool:
    return call.verb == "list"


ROWS = [
    Row("it is gone", lambda proxy: proxy.gone()),
    Row("it takes requests and never answers", to(Silence()), within=120),
    Row("it answers 500", to(Answer(500))),
    Row("it answers 503", to(Answer(503)), alike=True),
    Row("it answers 429 with Retry-After", to(Answer(429, retry_after=2))),
    Row("it answers 401", to(Answer(401))),
    Row("it answers after three seconds", to(Delay(3)), within=120),
    Row("answers break off", to(Truncated(), answered), alike=True),
    Row("answers end early and say that this is all", to(Truncated(framed=True), answered)),
    Row("writes are done and their answers lost", to(Lost(), lambda call: call.verb == "patch")),
    Row("writes of Deployments are conflicts", to(Answer(409), writes("deployments"), times=5), alike=True),
    Row("writes of Jobs are conflicts", to(Answer(409), writes("jobs"), times=5)),
    Row("lists have expired", to(Answer(410), lists)),
    Row("watches are refused with 410", to(Answer(410), watches), alike=True),
    Row("watches say 410", to(ErrorEvent(410), watches)),
    Row("watches say 500", to(ErrorEvent(500), watches), alike=True),
    Row("watches end at once", to(Ends(), watches)),
    Row("watches break within a line", to(Torn(), watches), alike=True),
    Row("watches end within a line", to(Torn(framed=True), watches)),
    Row("the open watches break within a line", torn, alike=True),
]


CASES = [
    *(pytest.param(row, 1.5, id=row.says) for row in ROWS if not row.alike),
    *(pytest.param(row, 30, id=f"{row.says}, for a minute", marks=pytest.mark.long) for row in ROWS),
]


@pytest.mark.parametrize(("row", "seconds"), CASES)
def test_it_is_got_over(row: Row, seconds: float, hurt: Hurt) -> None:
    hurt.scene.prepare()
    with row.begins(hurt.proxy):
        hurt.asks_little_and_lives(seconds)
        hurt.scene.disturb()
        hurt.asks_little_and_lives(seconds)
    ended = time.monotonic()
    wait_until(hurt.scene.repaired, within=row.within, what=f"all is right after {row.says}")
    log.info("all was right %.1f s after %s", time.monotonic() - ended, row.says)
