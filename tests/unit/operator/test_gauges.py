"""What Prometheus is told of a set: what is there now, and nothing of one that is gone."""

from prometheus_client import generate_latest
from whisper_operator.cluster import gauges
from whisper_operator.plan.types import Key

SET = Key("ModelSet", "demo", "counted")


def told() -> list[str]:
    return [line for line in generate_latest().decode().splitlines() if 'modelset="counted"' in line]


def test_states_are_counted_those_without_a_variant_too_and_end_with_the_set() -> None:
    variants = [{"state": "Ready", "sizeBytes": 70}, {"state": "Ready", "sizeBytes": 7}, {"state": "Failed"}]
    gauges.show(SET, {"variants": variants})
    found = told()
    prefix = 'whisper_operator_modelset_variants{modelset="counted",namespace="demo"'
    assert f'{prefix},state="Ready"}} 2.0' in found
    assert f'{prefix},state="Failed"}} 1.0' in found
    assert f'{prefix},state="Downloading"}} 0.0' in found
    assert 'whisper_operator_modelset_bytes{modelset="counted",namespace="demo"} 77.0' in found
    gauges.forget(SET)
    assert told() == []


def test_a_set_that_was_never_told_of_is_forgotten_without_ado() -> None:
    gauges.forget(Key("ModelSet", "demo", "never"))
