"""What is known of the cluster, and whom a change concerns."""

import json
from typing import Any

import pytest
from whisper_operator.cluster.cache import Cache, address
from whisper_operator.cluster.compare import covers
from whisper_operator.cluster.intake import Intake
from whisper_operator.plan.types import Key

SERVICE = Key("WhisperService", "demo", "speech")
MODELS = Key("ModelSet", "demo", "models")


def thing(kind: str, name: str, version: int, uid: str = "u", **fields: Any) -> dict[str, Any]:
    labels = fields.pop("labels", {})
    meta = {"name": name, "namespace": "demo", "uid": uid, "resourceVersion": str(version), "labels": labels}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta | {"managedFields": [1]}, **fields}


def service(version: int = 1) -> dict[str, Any]:
    return thing("WhisperService", "speech", version, spec={"modelSetRef": {"name": "models"}})


def models(version: int = 1) -> dict[str, Any]:
    return thing("ModelSet", "models", version)


def child(version: int, uid: str = "c") -> dict[str, Any]:
    return thing("ConfigMap", "speech-router", version, uid, labels={"whisper.livetranslate.io/service": "speech"})


@pytest.fixture
def told() -> list[Key]:
    return []


@pytest.fixture
def cache(told: list[Key]) -> Cache:
    cache = Cache()
    Intake(cache, told.append)
    return cache


def test_an_older_state_never_replaces_a_newer_one(cache: Cache) -> None:
    assert cache.put(child(5))
    assert not cache.put(child(4))
    assert not cache.put(child(5))
    assert cache.put(child(10))


def test_what_nobody_reads_is_not_kept(cache: Cache) -> None:
    cache.put(child(1))
    assert "managedFields" not in next(cache.owned(SERVICE))["metadata"]


def test_of_a_pod_only_what_it_tells_is_kept(cache: Cache) -> None:
    cache.put(thing("Pod", "a", 1, spec={"containers": []}, status={"phase": "Running"}))
    kept = cache.get("Pod", "demo", "a")
    assert kept is not None
    assert set(kept) == {"apiVersion", "kind", "metadata", "status"}


def test_of_a_pod_without_a_node_it_is_kept_which_nodes_it_asks_for(cache: Cache) -> None:
    asks: dict[str, Any] = {"nodeSelector": {"kind": "laptop"}, "affinity": {"nodeAffinity": {}}}
    cache.put(thing("Pod", "a", 1, spec={"containers": [], **asks}))
    cache.put(thing("Pod", "b", 1, spec={"containers": [], "nodeName": "node1", **asks}))
    kept = [cache.get("Pod", "demo", name) for name in "ab"]
    assert [one["spec"] for one in kept if one] == [asks, {"nodeName": "node1"}]


def test_what_many_objects_say_is_held_once(cache: Cache) -> None:
    for name in "ab":
        cache.put(json.loads(json.dumps(thing("Pod", name, 1, status={"message": "the same text"}))))
    one, other = (cache.get("Pod", "demo", name) for name in "ab")
    assert one is not None
    assert other is not None
    assert one["status"]["message"] is other["status"]["message"]


@pytest.mark.parametrize("kind", ["Deployment", "ConfigMap", "WhisperService"])
def test_what_is_kept_comes_back_as_it_was(kind: str, cache: Cache) -> None:
    spec: dict[str, Any] = {"modelSetRef": {"name": "models"}, "more": [1, 0.5, None, True, "é", {"a": []}]}
    given = thing(kind, "a", 1, spec=spec)
    cache.put(given)
    del given["metadata"]["managedFields"]
    assert cache.get(kind, "demo", "a") == given


@pytest.mark.parametrize(("edited", "same"), [("", True), ("!", False)])
def test_a_long_text_is_compared_by_its_digest(edited: str, same: bool, cache: Cache) -> None:  # noqa: FBT001
    text = "a line of a configuration\n" * 500
    cache.put(thing("ConfigMap", "a", 1, data={"envoy.yaml": text + edited}))
    kept = cache.get("ConfigMap", "demo", "a")
    assert len(json.dumps(kept)) < 1000
    assert covers(kept, {"data": {"envoy.yaml": text}}) == same


def test_a_late_end_of_an_earlier_object_does_not_remove_its_successor(cache: Cache) -> None:
    cache.put(child(1, "old"))
    cache.put(child(9, "new"))
    assert not cache.remove(address(child(1)), "old")
    assert cache.remove(address(child(1)), "new")
    assert not list(cache.owned(SERVICE))


def test_an_object_that_changes_its_label_changes_its_owner(cache: Cache) -> None:
    cache.put(child(1))
    cache.put(thing("ConfigMap", "speech-router", 2, "c"))
    assert not list(cache.owned(SERVICE))


def test_a_listing_finds_what_ended_unnoticed_but_nothing_younger_than_itself(cache: Cache) -> None:
    cache.put(child(5))
    cache.put(service(50))
    assert cache.lost("ConfigMap", None, set(), 40) == [("ConfigMap", "demo", "speech-router")]
    assert cache.lost("ConfigMap", "other", set(), 40) == []
    assert cache.lost("ConfigMap", None, {("ConfigMap", "demo", "speech-router")}, 40) == []
    assert cache.lost("WhisperService", None, set(), 40) == []


def test_a_change_concerns_the_owner(cache: Cache, told: list[Key]) -> None:
    cache.put(child(1))
    assert told == [SERVICE]


def test_a_service_concerns_its_models_and_models_their_services(cache: Cache, told: list[Key]) -> None:
    cache.put(models())
    assert told == [MODELS]
    told.clear()
    cache.put(service())
    assert told == [SERVICE, MODELS]
    told.clear()
    cache.put(models(2))
    assert told == [MODELS, SERVICE]


def test_a_set_is_looked_at_when_who_uses_it_changes_and_not_for_each_status(cache: Cache, told: list[Key]) -> None:
    cache.put(models() | {"status": {"usedBy": ["speech"]}})
    told.clear()
    cache.put(service(2))
    cache.put(service(3))
    assert told == [SERVICE, SERVICE]
    told.clear()
    cache.remove(address(service()))
    assert told == [SERVICE, MODELS]


def test_the_set_that_a_service_no_longer_refers_to_is_looked_at_too(cache: Cache, told: list[Key]) -> None:
    cache.put(models() | {"status": {"usedBy": ["speech"]}})
    cache.put(service())
    told.clear()
    cache.put(service(2) | {"spec": {"modelSetRef": {"name": "others"}}})
    assert told == [SERVICE, MODELS]


def test_a_set_from_whose_claim_something_is_to_leave_is_looked_at_for_each_service(
    cache: Cache, told: list[Key]
) -> None:
    cache.put(models() | {"status": {"leaving": [{"name": "tiny"}]}})
    told.clear()
    cache.put(service() | {"spec": {"modelSetRef": {"name": "others"}}})
    assert told == [SERVICE, MODELS]


def test_a_job_concerns_every_set_that_holds_it(cache: Cache, told: list[Key]) -> None:
    holders = [{"kind": "ModelSet", "name": name, "uid": name} for name in ("models", "others")]
    job = thing("Job", "download", 1, labels={"whisper.livetranslate.io/modelset": "models"})
    cache.put(job | {"metadata": job["metadata"] | {"ownerReferences": holders}})
    assert set(told) == {MODELS, Key("ModelSet", "demo", "others")}


def test_what_is_not_ours_concerns_nobody(cache: Cache, told: list[Key]) -> None:
    cache.put(thing("ConfigMap", "theirs", 1))
    assert told == []


def test_only_custom_resources_are_listed_as_resources(cache: Cache) -> None:
    for one in (service(), models(), child(1)):
        cache.put(one)
    assert sorted(cache.resources(), key=str) == [MODELS, SERVICE]
