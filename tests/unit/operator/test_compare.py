"""When a live object already says what is wanted."""

from dataclasses import dataclass
from typing import Any

import pytest
from whisper_operator.cluster.compare import APPLIED, covers, stamped


@dataclass(frozen=True)
class Case:
    says: str
    live: Any
    wanted: Any
    covered: bool


CASES = [
    Case("fields that others added", {"a": 1, "b": 2}, {"a": 1}, True),
    Case("a changed field", {"a": 2}, {"a": 1}, False),
    Case("a missing field", {}, {"a": 1}, False),
    Case("an empty list that was dropped", {}, {"a": []}, True),
    Case("a false that was dropped", {}, {"a": False}, True),
    Case("a false that became true", {"a": True}, {"a": False}, False),
    Case("a zero that became one", {"a": 1}, {"a": 0}, False),
    Case("a zero that is missing", {}, {"a": 0}, False),
    Case("an empty object that is missing", {}, {"emptyDir": {}}, False),
    Case("an amount in another spelling", {"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}, True),
    Case("another amount", {"limits": {"cpu": "2"}}, {"limits": {"cpu": "1000m"}}, False),
    Case("an amount as a number", {"requests": {"cpu": "2"}}, {"requests": {"cpu": 2}}, True),
    Case("a sidecar", {"containers": [{"name": "s"}, {"name": "m"}]}, {"containers": [{"name": "m"}]}, True),
    Case("a container that is gone", {"containers": [{"name": "s"}]}, {"containers": [{"name": "m"}]}, False),
    Case("an argument more", {"args": ["a", "b"]}, {"args": ["a"]}, False),
    Case("a selector with a key more", {"selector": {"a": "1", "b": "2"}}, {"selector": {"a": "1"}}, False),
    Case("a label more", {"labels": {"a": "1", "b": "2"}}, {"labels": {"a": "1"}}, True),
    Case(
        "two mounts of one volume",
        {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]},
        {"volumeMounts": [{"name": "v", "mountPath": "/b"}]},
        True,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_covers(case: Case) -> None:
    assert covers(case.live, case.wanted) == case.covered


def test_a_field_that_a_newer_plan_no_longer_has_is_a_difference() -> None:
    old = stamped({"metadata": {"name": "a"}, "spec": {"a": 1, "b": 2}})
    new = stamped({"metadata": {"name": "a"}, "spec": {"a": 1}})
    assert covers(old, old)
    assert not covers(old, new)


def test_the_digest_is_stable_and_leaves_other_annotations() -> None:
    manifest: dict[str, Any] = {"metadata": {"annotations": {"x": "y"}}, "spec": {"a": 1, "b": 2}}
    same = {"spec": {"b": 2, "a": 1}, "metadata": {"annotations": {"x": "y"}}}
    assert stamped(manifest)["metadata"]["annotations"].keys() == {"x", APPLIED}
    assert stamped(manifest) == stamped(same)
    assert APPLIED not in manifest["metadata"]["annotations"]
