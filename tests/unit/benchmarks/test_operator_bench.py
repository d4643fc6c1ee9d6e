"""What the operator's benchmark reads and reckons."""

import os
import time

from benchmarks.operator.operator_counts import Counts, parse
from benchmarks.operator.processes import Clock
from benchmarks.operator.stages import Stage, by_operator, is_current, value_of_change
from benchmarks.operator.tables import Measured, metrics, tables
from benchmarks.operator.world import World
from tests.support.processes import memory_mib

METRICS = """\
# HELP whisper_operator_writes_total Writes
whisper_operator_reconciles_total{kind="ModelSet",outcome="done"} 3.0
whisper_operator_reconciles_total{kind="WhisperService",outcome="error"} 4.0
whisper_operator_writes_total{kind="Service",verb="apply"} 5.0
whisper_operator_writes_total{kind="Service",verb="delete"} 1.0
whisper_operator_writes_total{kind="Event",verb="create"} 2.0
whisper_operator_writes_created{kind="Event",verb="create"} 1.7e+09
whisper_operator_api_requests_total{method="get",status="200"} 9.0
whisper_operator_queue_depth 3.0
"""


def test_the_operators_counters_are_summed_over_their_labels() -> None:
    assert parse(METRICS.splitlines()) == Counts(7, 8, 9, {"Service": 6, "Event": 2}, 3)


def test_counts_are_told_from_a_moment_on() -> None:
    before = Counts(1, 2, 3, {"Service": 2})
    assert parse(METRICS.splitlines()).since(before) == Counts(6, 6, 6, {"Service": 4, "Event": 2})


def test_a_service_is_current_once_its_status_is_of_its_generation_and_names_a_model() -> None:
    def service(seen: int, **runtime: str) -> dict[str, object]:
        return {"metadata": {"generation": 2}, "status": {"observedGeneration": seen, "runtimes": [runtime]}}

    assert is_current(service(2, model="tiny.en"))
    assert not is_current(service(1, model="tiny.en"))
    assert not is_current(service(2))
    assert not is_current({"metadata": {"generation": 2}})


def test_a_change_is_known_by_the_value_that_its_deployment_carries() -> None:
    def deployment(*env: dict[str, str]) -> dict[str, object]:
        return {"spec": {"template": {"spec": {"containers": [{"env": list(env)}]}}}}

    assert value_of_change(deployment({"name": "CHANGE", "value": "7"})) == "7"
    assert value_of_change(deployment({"name": "OTHER", "value": "7"})) == ""
    assert value_of_change(deployment()) == ""


def test_processor_time_and_memory_are_those_of_the_process() -> None:
    clock = Clock({"us": os.getpid()})
    began = time.process_time()
    while time.process_time() - began < 0.1:
        pass
    assert 0.05 < clock.passed()["us"] < 60
    assert memory_mib(os.getpid()) >= memory_mib(os.getpid(), "VmRSS") > 5


def test_what_others_write_to_an_object_is_not_the_operators_write() -> None:
    ours = {"manager": "whisper-operator", "operation": "Apply", "time": "2026-01-01T00:00:00Z"}
    others = {"manager": "kube-controller-manager", "subresource": "status", "time": "2026-01-01T00:01:00Z"}
    assert by_operator({"metadata": {"managedFields": [ours, others]}}) == [ours]
    assert by_operator({"metadata": {}}) == []


def test_every_metric_of_the_goals_is_told_and_the_worst_of_two_is_taken() -> None:
    cpu = dict.fromkeys(
        ("operator", "kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "benchmark"), 1.0
    )
    names = ("create", "settle", "restart", "rest", "changes")
    stages = {name: Stage(50, cpu, Counts(1, 100, 1, {"Event": 100}), [0.1, 0.2]) for name in names}
    stages["rest"].counts = Counts(0, 0, 0, {})
    found = Measured(load=1, written=5, stages=stages, memory={"first": 90, "second": 95})
    assert metrics(found, World(services=100)) == {
        "services_per_second": 2,
        "restart_to_quiet_s": 50,
        "rss_mib": 95,
        "writes_per_service": 2,
        "writes_at_rest_per_minute": 6,
        "change_to_child_p99_s": 0.2,
    }
    assert "published" in "".join(table.title for table in tables(found, World(services=100)))
