"""What the executor refuses to do, before any request is made. What it does is proved on a real API server."""

from typing import Any

import pytest
from whisper_operator.cluster.cache import Cache
from whisper_operator.cluster.compare import stamped
from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.errors import NotLeader
from whisper_operator.cluster.events import Recorder
from whisper_operator.cluster.execute import Executor, Outcome
from whisper_operator.cluster.reconcile import BLOCKED, SOON, when
from whisper_operator.plan.ownership import is_adoptable, is_outgoing
from whisper_operator.plan.types import Event, Key, ObjectRef, Plan

KEY = Key("WhisperService", "demo", "speech")
RESOURCE: dict[str, Any] = {
    "apiVersion": "whisper.livetranslate.io/v1alpha1",
    "kind": "WhisperService",
    "metadata": {"name": "speech", "namespace": "demo", "uid": "u", "resourceVersion": "1"},
    "status": {"url": "a"},
}
OWNER = {"kind": "WhisperService", "name": "speech", "uid": "u", "controller": True}
LABEL = {"whisper.livetranslate.io/service": "speech"}


def config_map(**meta: Any) -> dict[str, Any]:
    base = {"name": "speech-router", "namespace": "demo", "labels": LABEL, "ownerReferences": [OWNER]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": base | meta, "data": {"a": "b"}}


def live(**meta: Any) -> dict[str, Any]:
    found = stamped(config_map())
    return found | {"metadata": found["metadata"] | {"uid": "c", "resourceVersion": "5"} | meta}


def unconnected(*known: dict[str, Any], leads: bool) -> Executor:
    """An executor that would fail at the first request."""
    connection = object.__new__(Connection)
    connection._left = lambda: 10.0 if leads else 0.0
    cache = Cache()
    for one in known:
        cache.put(one)
    return Executor(connection, cache, Recorder(connection))


DIFFERENT = config_map() | {"data": {"a": "c"}}
WRITES = [
    Plan(apply=(DIFFERENT,)),
    Plan(status={"url": "b"}),
    Plan(status={"url": "a"}, events=(Event("Normal", "A", "b"),)),
    Plan(prune=(ObjectRef("v1", "ConfigMap", "demo", "speech-router", "c"),)),
    Plan(hold=(ObjectRef("batch/v1", "Job", "demo", "j", "c"),)),
    Plan(release=(ObjectRef("batch/v1", "Job", "demo", "j", "c"),)),
]


@pytest.mark.parametrize("plan", WRITES, ids=["apply", "status", "event", "prune", "hold", "release"])
async def test_who_does_not_lead_writes_nothing(plan: Plan) -> None:
    with pytest.raises(NotLeader):
        await unconnected(live(), leads=False).execute(plan, KEY, RESOURCE)


@pytest.mark.parametrize("leads", [True, False])
async def test_what_is_as_it_should_be_needs_no_request(leads: bool) -> None:  # noqa: FBT001  # parametrized
    plan = Plan(apply=(config_map(),), status={"url": "a"})
    assert await unconnected(live(), leads=leads).execute(plan, KEY, RESOURCE) == Outcome()


async def test_what_is_on_its_way_out_is_waited_for() -> None:
    going = live(deletionTimestamp="2026-01-02T03:04:05Z")
    outcome = await unconnected(going, leads=True).execute(Plan(apply=(DIFFERENT,)), KEY, RESOURCE)
    assert outcome.waiting


async def test_what_belongs_to_someone_else_is_left_alone() -> None:
    theirs = live(ownerReferences=[{"kind": "Other", "name": "x", "uid": "z", "controller": True}])
    outcome = await unconnected(theirs, leads=True).execute(Plan(apply=(DIFFERENT,)), KEY, RESOURCE)
    assert outcome.taken == ["ConfigMap/speech-router"]


def test_what_an_earlier_service_of_the_same_name_owned_is_outgoing_not_taken() -> None:
    assert is_outgoing(live(ownerReferences=[OWNER | {"uid": "earlier"}]), RESOURCE)
    assert not is_outgoing(live(), RESOURCE)


@pytest.mark.parametrize(
    ("meta", "adoptable"),
    [
        ({}, True),
        ({"ownerReferences": []}, True),
        ({"labels": {}}, True),
        ({"labels": {}, "ownerReferences": []}, False),
        ({"labels": {"whisper.livetranslate.io/service": "other"}, "ownerReferences": []}, False),
    ],
    ids=["as it should be", "owner edited away", "labels edited away", "a stranger", "another service's"],
)
def test_what_may_be_made_ours(meta: dict[str, Any], adoptable: bool) -> None:  # noqa: FBT001  # parametrized
    assert is_adoptable(live(**meta), RESOURCE) == adoptable


def test_when_to_look_again() -> None:
    refused = Outcome(refusals={"Service/a": "no"})
    with_other_words = Outcome(refusals={"Service/a": "no (request 2)"})
    assert when(Plan(), Outcome(), Outcome()) is None
    assert when(Plan(), Outcome(), refused) == SOON
    assert when(Plan(), refused, refused) == BLOCKED
    assert when(Plan(), refused, with_other_words) == BLOCKED
    assert when(Plan(), refused, Outcome()) == SOON
    assert when(Plan(), Outcome(), Outcome(waiting=True)) == SOON
    assert when(Plan(), Outcome(), Outcome(namespace_ending=True)) is None
