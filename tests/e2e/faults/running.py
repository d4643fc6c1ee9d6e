"""One fault from the quiet before it to the quiet after it."""

import time

from tests.e2e.faults.fault import Fault, Length
from tests.e2e.faults.load import Callers, Traffic
from tests.e2e.faults.scene import Scene
from tests.e2e.faults.verdict import Observation, complaints


def run(fault: Fault, scene: Scene, length: Length) -> Observation | None:
    """What the callers saw; None where the fault has no callers."""
    scene.settle()
    if fault.expects is None:
        with fault.inject(scene, length):
            return None
    with scene.changed(fault.spec):
        return _observed(fault, scene, length)


def _observed(fault: Fault, scene: Scene, length: Length) -> Observation:
    callers = Callers(fault.through.urls(scene), fault.callers)
    if fault.comes_first:
        with fault.inject(scene, length):
            at = time.monotonic()
            traffic = Traffic(callers).start()
            watch(traffic, at + fault.watched)
    else:
        traffic = Traffic(callers).start()
        at = time.monotonic()
        with fault.inject(scene, length):
            watch(traffic, at + fault.watched)
    return Observation(traffic.finished(), at)


def watch(traffic: Traffic, until: float) -> None:
    """There is no condition to wait for: callers go on for so long, and are judged by all of it."""
    time.sleep(max(0.0, until - time.monotonic()))
    traffic.enough()


def judge(fault: Fault, seen: Observation | None) -> None:
    """An AssertionError with every request that fared otherwise than the table says."""
    if seen is None or fault.expects is None:
        return
    told = complaints(seen, fault.expects)
    assert not told, f"{len(told)} of {len(seen.requests)} requests:\n" + "\n".join(told)
