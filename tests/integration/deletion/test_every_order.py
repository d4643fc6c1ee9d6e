"""A set and its service are deleted in every state and in every order: nothing hangs, and nothing is left.

All cases run at once in namespaces of their own, and each test looks at what became of one.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import product

import pytest

from tests.integration.deletion.orders import ORDERS
from tests.integration.deletion.place import SLOW, place
from tests.integration.deletion.states import STATES, left_by
from tests.integration.operator_process import OperatorProcess
from tests.support.api_client import ApiClient
from tests.support.waiting import wait_until

STORY = ("job running", "ready")
"""States that meet every order also in the short run; there the others are deleted both at once."""
CASES = [
    pytest.param(state, order, id=f"{state}-{order}", marks=[] if in_short_run else pytest.mark.long)
    for state, order in product(STATES, ORDERS)
    for in_short_run in [state in STORY or order == "both at once"]
]
AT_ONCE = 16
Outcomes = Mapping[tuple[str, str], "Future[float]"]


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
def outcomes(request: pytest.FixtureRequest, api: ApiClient, operator: OperatorProcess) -> Outcomes:
    """What became of each case that this run is about."""
    assert operator.get("/readyz")[0] == 200
    asked = [item for item in request.session.items if isinstance(item, pytest.Function)]
    cases = [item.callspec.params for item in asked if item.originalname == test_nothing_is_left.__name__]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        named = [(str(case["state"]), str(case["order"])) for case in cases]
        futures = {case: pool.submit(ended, api, *case) for case in named}
        wait(futures.values())
    return futures


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("state", "order"), CASES)
def test_nothing_is_left(
    state: str, order: str, outcomes: Outcomes, record_property: Callable[[str, object], None]
) -> None:
    seconds = outcomes[state, order].result()
    record_property("seconds", round(seconds, 1))
    assert seconds < SLOW


def test_the_operator_remembers_nothing_of_it(outcomes: Outcomes, operator: OperatorProcess) -> None:
    assert outcomes
    wait_until(lambda: operator.metric("whisper_operator_objects") == 0, within=60, what="its memory is empty")
    assert "reconciling failed" not in operator.log.read_text()
    assert "planning failed" not in operator.log.read_text()
