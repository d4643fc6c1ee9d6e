"""Every row of the fault table, made true: `make test` takes the short form, `make test-long` the long one.

On the built-in cluster only: on another one each row is skipped, and says why.
"""

from collections.abc import Iterator

import pytest

from tests.cluster import settings
from tests.e2e.environment import Environment
from tests.e2e.faults.fault import LONG, SHORT, Fault
from tests.e2e.faults.running import judge, run
from tests.e2e.faults.scene import Scene, Setting, opened
from tests.e2e.faults.table import FAULTS

CHOSEN = settings.read().provider
pytestmark = pytest.mark.skipif(
    CHOSEN != "builtin",
    reason=f"faults stop nodes and processes, which only the built-in cluster lets us reach, not CLUSTER={CHOSEN}",
)


@pytest.fixture(scope="module")
def scene(installed: Environment, setting: Setting) -> Iterator[Scene]:
    with opened(installed, setting) as there:
        yield there


def rows(faults: list[Fault]) -> pytest.MarkDecorator:
    """A case for each fault; those of one setting share it, and so come one after the other."""
    return pytest.mark.parametrize(
        ("fault", "setting"), [pytest.param(fault, fault.setting, id=fault.name) for fault in faults], scope="module"
    )


@rows([fault for fault in FAULTS if fault.in_short])
def test_fault(fault: Fault, scene: Scene) -> None:
    judge(fault, run(fault, scene, SHORT))


@pytest.mark.long
@pytest.mark.timeout(2400)
@rows([fault for fault in FAULTS if fault.in_long])
def test_fault_at_length(fault: Fault, scene: Scene) -> None:
    judge(fault, run(fault, scene, LONG))
