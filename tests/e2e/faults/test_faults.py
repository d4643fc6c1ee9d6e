"""Every row of the fault table, made true: `make test` takes the short form, `make test-long` the long one."""

from collections.abc import Iterator

import pytest

from tests.e2e.environment import Environment
from tests.e2e.faults.fault import LONG, SHORT, Fault
from tests.e2e.faults.running import judge, run
from tests.e2e.faults.scene import Scene, opened
from tests.e2e.faults.table import FAULTS


@pytest.fixture(scope="module")
def scene(installed: Environment) -> Iterator[Scene]:
    with opened(installed) as there:
        yield there


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.in_short], ids=lambda fault: str(fault.name))
def test_fault(fault: Fault, scene: Scene) -> None:
    judge(fault, run(fault, scene, SHORT))


@pytest.mark.long
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.in_long], ids=lambda fault: str(fault.name))
def test_fault_at_length(fault: Fault, scene: Scene) -> None:
    judge(fault, run(fault, scene, LONG))
