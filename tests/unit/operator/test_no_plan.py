"""Resources for which there is no plan: stored under older rules, or planning itself fails."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from whisper_operator.api.modelset import ModelSet
from whisper_operator.api.resource import read
from whisper_operator.api.whisperservice import WhisperService
from whisper_operator.cluster.cache import Cache
from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.observe import Observer
from whisper_operator.cluster.pod_http import PodHttp
from whisper_operator.cluster.reconcile import planned
from whisper_operator.cluster.routers import Routers
from whisper_operator.plan.invalid import plan_invalid
from whisper_operator.plan.types import Key, Plan

from tests.unit.service.builders import DEFAULTS, service

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
META = {"name": "speech", "namespace": "demo", "uid": "u", "generation": 2}


def stored(**spec: Any) -> dict[str, Any]:
    least = {"modelSetRef": {"name": "models"}, "model": "tiny", "runtimes": {"cpu": {}}}
    return {"kind": "WhisperService", "metadata": META, "spec": least | spec, "status": {"url": "http://a"}}


BAD = [
    ({"healthCheck": {"interval": "0s"}}, "must be from 100ms to 1h"),
    ({"healthCheck": {"timeout": "2h"}}, "must be from 100ms to 1h"),
    ({"timeouts": {"request": "0s"}}, "must be from 1s to 24h"),
    ({"timeouts": {"request": "999999h"}}, "must be from 1s to 24h"),
    ({"timeouts": {"request": "99999999h"}}, "String should match pattern"),
    ({"maxUploadSize": "0"}, "must be from 1k to 4095Mi"),
    ({"maxUploadSize": "500m"}, "must be from 1k to 4095Mi"),
    ({"maxUploadSize": "5Gi"}, "must be from 1k to 4095Mi"),
    ({"maxUploadSize": -1}, "String should match pattern"),
]


@pytest.mark.parametrize(("routing", "says"), BAD, ids=str)
def test_what_an_older_crd_let_through_is_an_invalid_spec(routing: dict[str, Any], says: str) -> None:
    resource = stored(routing=routing)
    with pytest.raises(ValidationError) as caught:
        read(WhisperService, resource)
    plan = plan_invalid(resource, caught.value, NOW)
    assert not plan.apply
    assert not plan.prune
    assert plan.status is not None
    assert plan.status["url"] == "http://a"
    assert [one["reason"] for one in plan.status["conditions"]] == ["InvalidSpec", "InvalidSpec"]
    assert f"{says}" in plan.status["conditions"][0]["message"]


@pytest.mark.parametrize("size", ["0", "500m", -5, "0Gi"])
def test_a_volume_without_a_size_is_an_invalid_spec(size: Any) -> None:
    spec = {"models": [{"name": "tiny"}], "storage": {"claimTemplate": {"size": size}}}
    with pytest.raises(ValidationError):
        read(ModelSet, {"metadata": META, "spec": spec})


def test_a_status_that_cannot_be_read_is_made_anew() -> None:
    assert read(WhisperService, stored() | {"status": {"runtimes": "?"}}).status.runtimes == ()


def test_a_mistake_in_planning_shows_in_the_status() -> None:
    def wrong(_: object) -> Plan:
        raise OverflowError("too long")

    plan = planned(wrong, object(), stored())
    assert not plan.apply
    assert plan.status is not None
    ready = plan.status["conditions"][0]
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "Unknown", "InternalError")
    assert "OverflowError: too long" in ready["message"]
    assert [event.reason for event in plan.events] == ["InternalError"]
    assert plan.look_again
    assert not planned(wrong, object(), stored() | {"status": plan.status}).events


async def test_a_model_set_that_cannot_be_read_is_the_sets_matter_and_not_the_services() -> None:
    cache = Cache()
    cache.put({"kind": "ModelSet", "metadata": META | {"name": "models"}, "spec": {}})
    connection = object.__new__(Connection)
    pod_http = object.__new__(PodHttp)
    observer = Observer(connection, cache, pod_http, Routers(cache, pod_http, lambda _: None), DEFAULTS)
    seen = await observer.service(Key("WhisperService", "demo", "speech"), service(), (), ())
    assert seen.modelset is None
    assert seen.modelset_error == "spec.models: Field required"
