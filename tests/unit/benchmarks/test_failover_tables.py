"""From what callers saw to the figures that are reported."""

from benchmarks.failover.tables import Timings, metrics, table
from tests.e2e.faults.verdict import Ending, Kind, Observation, Request

QUICK = Timings("", "quick")


def observation(took: float, *, lost: Ending | None = None) -> Observation:
    requests = [
        Request(0, Kind.LIGHT, 10.0, 10.0 + took, Ending.GOOD),
        Request(1, Kind.TRANSCRIPTION, 9.0, 12.0, lost or Ending.GOOD),
    ]
    return Observation(requests, 10.0)


SEEN = {"router-killed": [observation(0.25), observation(1.5, lost=Ending.CUT), observation(0.5, lost=Ending.WRONG)]}


def test_a_fault_that_was_made_several_times_is_one_row() -> None:
    assert table(QUICK, SEEN).rows == [("router-killed", "3", "6", "2", "1", "0.50", "1.50", "3.00")]


def test_metrics_are_named_after_fault_and_timings() -> None:
    assert metrics(QUICK, SEEN) == {"router_killed_first_good_p99_s": 1.5, "router_killed_lost": 2}
    assert set(metrics(Timings("kubeadm_", ""), SEEN)) == {
        "kubeadm_router_killed_first_good_p99_s",
        "kubeadm_router_killed_lost",
    }
