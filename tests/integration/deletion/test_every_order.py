"""A set and its service are deleted in every state and in every order: nothing hangs, and nothing is left.

All cases run at once in namespaces of their own, and each test looks at what became of one.
"""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import product

import pytest

from tests.integration.deletion.orders import ORDERS
from tests.integration.deletion.place import SLOW, place
from tests.integration.deletion.states import STATES, left_by
from tests.integration.operator_process import OperatorProcess
from tests.support.api_client import ApiClient
from tests.support.waiting import wait_until

CASES = list(product(STATES, ORDERS))
AT_ONCE = 16


def ended(api: ApiClient, state: str, order: str) -> float:
    """One case; the seconds from the first deletion until nothing is left. A failure is raised."""
    with place(api) as here:
        STATES[state](here)
        assert not [one for one in here.finalizers() if "whisper" in one]
        began = time.monotonic()
        ORDERS[order](here)
        left = frozenset() if order == "with the namespace" else left_by(state)
        here.wait_left(left)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def outcomes(api: ApiClient, operator: OperatorProcess) -> Mapping[tuple[str, str], "Future[float]"]:
    """What became of each case."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {case: pool.submit(ended, api, *case) for case in CASES}
        wait(futures.values())
    return futures


@pytest.mark.parametrize(("state", "order"), CASES, ids=[f"{state}-{order}" for state, order in CASES])
def test_nothing_is_left(state: str, order: str, outcomes: Mapping[tuple[str, str], "Future[float]"]) -> None:
    assert outcomes[state, order].result() < SLOW


def test_the_operator_remembers_nothing_of_it(
    outcomes: Mapping[tuple[str, str], "Future[float]"], operator: OperatorProcess
) -> None:
    assert len(outcomes) == len(CASES)
    wait_until(lambda: operator.metric("whisper_operator_objects") == 0, within=60, what="its memory is empty")
    assert "reconciling failed" not in operator.log.read_text()
    assert "planning failed" not in operator.log.read_text()
