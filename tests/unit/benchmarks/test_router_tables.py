import pytest

from benchmarks.router.ends import Calls
from benchmarks.router.measure import DIRECT, GET, MANY, ONE, ROUTED, UPLOAD, Heat, Measured
from benchmarks.router.tables import latency_table, metrics, rate_table


def heat(kind: str, callers: int) -> Heat:
    """The machine is twice as slow in the second round; the router adds a half to whatever it is."""
    direct = [Calls(1.0 * slow, 2.0 * slow, 900.0 / slow, 900, 0) for slow in (1, 2, 1)]
    routed = [Calls(1.5 * slow, 4.0 * slow, 600.0 / slow, 600, 1) for slow in (1, 2, 1)]
    return Heat(kind, callers, {DIRECT: direct, ROUTED: routed})


MEASURED = Measured([heat(kind, callers) for callers in (ONE, MANY) for kind in (UPLOAD, GET)], 66.0, 120.5)


def test_what_is_added_is_the_difference_within_each_round() -> None:
    assert heat(UPLOAD, ONE).added("p50_ms").median == 0.5
    assert heat(UPLOAD, ONE).added("p50_ms").high == 0.75


def test_the_metrics_have_the_agreed_names_and_are_of_uploads() -> None:
    agreed = {"added_p50_ms": 0.5, "added_p99_ms": 2.0, "requests_per_second": 600.0, "rss_mib": 120.5}
    assert agreed.items() <= metrics(MEASURED).items()


def test_failures_are_counted_and_shown() -> None:
    assert metrics(MEASURED)["failed"] == 12
    assert [row[-1] for row in rate_table(MEASURED).rows] == ["3", "3"]


@pytest.mark.parametrize("kind", [UPLOAD, GET])
def test_the_tables_name_the_request(kind: str) -> None:
    assert kind in latency_table(heat(kind, ONE)).title
