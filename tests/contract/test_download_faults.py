"""Hubs and mirrors as they are: what a download gets through, and what each thing that stops it is called."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from huggingface_hub.hf_api import RepoSibling
from whisper_models.download import Patience
from whisper_models.download.hub import HubSource, _remote_file
from whisper_models.errors import GatedRepo, HubError, HubUnreachable, ModelFailure, Throttled, TooSlow
from whisper_models.store import UnifiedModelManager
from whisper_models.store.files import BLOCK

from tests.support.downloads import BASE, QUICK, WEIGHTS, Fetch, asked_for_weights, sent
from tests.support.hub import Hub

CUT_ONCE = {"kind": "cut", "path": WEIGHTS, "after": 30_000_000, "times": 1}
SMALL = "*/config.json"

PASSING: dict[str, list[dict[str, Any]]] = {
    "the first byte is late, of the list and of a file": [
        {"kind": "delay", "path": "/api/*", "seconds": 2.0},
        {"kind": "delay", "path": "*tokenizer.json", "seconds": 2.0},
    ],
    "a mirror that sends none of the Hub's headers, and no length": [{"kind": "bare"}],
    "the same, and it is cut": [{"kind": "bare"}, CUT_ONCE],
    "another part than was asked for": [CUT_ONCE, {"kind": "wrong_range", "path": "/_stored/*", "times": 1}],
    "always another part than was asked for": [CUT_ONCE, {"kind": "wrong_range", "path": "/_stored/*"}],
    "an answer that ends too early and says that this is all": [
        {"kind": "short", "path": WEIGHTS, "after": 30_000_000, "times": 1}
    ],
    "a range refused": [
        CUT_ONCE,
        {"kind": "status", "path": "/_stored/*", "status": 416, "times": 1},
    ],
    "throttled for a second": [{"kind": "status", "path": WEIGHTS, "status": 429, "retry_after": "1", "times": 1}],
    "5xx, twice": [{"kind": "status", "path": "/_stored/*", "status": 504, "times": 2}],
}


@pytest.mark.parametrize("case", PASSING)
def test_it_arrives_whole_in_spite_of(fetch: Fetch, hub: Hub, store: UnifiedModelManager, case: str) -> None:
    hub.faults.replace(PASSING[case])
    fetch()
    assert store.damage(BASE) == []


def test_a_trickle_is_slow_and_not_stalled(fetch: Fetch, hub: Hub, store: UnifiedModelManager) -> None:
    hub.faults.replace([{"kind": "slow", "path": SMALL, "rate": 200}])  # longer than silence may last
    fetch(replace(QUICK, attempts=1, silence=1.5, slowest=20))
    assert store.damage(BASE) == []


def test_less_than_a_trickle_counts_as_stalled_and_what_came_is_kept(
    fetch: Fetch, hub: Hub, store: UnifiedModelManager
) -> None:
    hub.faults.replace([{"kind": "slow", "path": WEIGHTS, "rate": 200}])
    with pytest.raises(TooSlow, match="all but stopped") as failure:
        fetch(replace(QUICK, attempts=1, silence=1.5, slowest=1024))
    assert failure.value.retryable
    (part,) = store.root.rglob("model.safetensors.part")
    assert 0 < part.stat().st_size < 10_000
    hub.faults.replace([])
    fetch()
    assert store.damage(BASE) == []


def test_a_line_of_a_kilobyte_a_second_comes_to_an_end_although_it_brings_new_bytes(fetch: Fetch, hub: Hub) -> None:
    """With the patience that people have, but for shorter windows: each attempt brings something, and none enough."""
    hub.faults.replace([{"kind": "slow", "path": WEIGHTS, "rate": 1024}])
    with pytest.raises(TooSlow):
        fetch(Patience(attempts=3, first_wait=0.01, silence=1.0))
    begins = [request["range"] for request in asked_for_weights(hub)]
    assert len(begins) == 3
    assert begins[0] is None
    assert None not in begins[1:]


def test_slow_moments_in_a_fast_transfer_are_no_reason_to_stop(
    fetch: Fetch, hub: Hub, store: UnifiedModelManager
) -> None:
    stalls = [{"kind": "stall", "path": WEIGHTS, "after": at * 15_000_000, "times": 1} for at in (1, 2, 3, 4)]
    hub.faults.replace(stalls)
    fetch(Patience(attempts=2, first_wait=0.01, silence=1.0))
    assert store.damage(BASE) == []


def in_hours(hours: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)


STOPPING: dict[str, tuple[dict[str, Any], type[ModelFailure], str]] = {
    "silence before the first byte of the list": ({"kind": "delay", "path": "/api/*"}, HubUnreachable, "no answer"),
    "silence before the first byte of a file": ({"kind": "delay", "path": WEIGHTS}, HubUnreachable, "no answer"),
    "packed though asked not to": ({"kind": "gzip", "path": SMALL}, HubError, "gzip"),
    "the list sends in circles": ({"kind": "loop", "path": "/api/*"}, HubError, "without end"),
    "a file sends in circles": ({"kind": "loop", "path": WEIGHTS}, HubError, "without end"),
    "a gated file": ({"kind": "status", "path": WEIGHTS, "status": 403, "code": "GatedRepo"}, GatedRepo, "terms"),
    "a gated list": ({"kind": "status", "path": "/api/*", "status": 401, "code": "GatedRepo"}, GatedRepo, "terms"),
    "throttled for an hour": ({"kind": "status", "status": 429, "retry_after": "3600"}, Throttled, "429"),
    "throttled until a date": ({"kind": "status", "status": 429, "retry_after": in_hours(24)}, Throttled, "429"),
    "always too short": ({"kind": "short", "path": WEIGHTS, "after": 1000}, HubUnreachable, "broke off"),
}


@pytest.mark.parametrize("case", STOPPING)
def test_it_stops_with_the_name_of(fetch: Fetch, hub: Hub, store: UnifiedModelManager, case: str) -> None:
    fault, expected, said = STOPPING[case]
    hub.faults.replace([{"seconds": 60.0, **fault}])
    with pytest.raises(expected, match=said) as failure:
        fetch(Patience(attempts=2, first_wait=0.01, silence=2.0))
    assert failure.value.retryable
    assert store.manifests() == []
    hub.faults.replace([])
    fetch()
    assert store.damage(BASE) == []


@pytest.mark.parametrize("asked", [lambda: "3600", lambda: in_hours(1)], ids=["seconds", "date"])
def test_a_hub_that_asks_for_an_hour_is_taken_at_its_word(fetch: Fetch, hub: Hub, asked: Callable[[], str]) -> None:
    hub.faults.replace([{"kind": "status", "status": 429, "retry_after": asked()}])
    with pytest.raises(Throttled) as failure:
        fetch()
    assert failure.value.retry_after == pytest.approx(3600, abs=600)
    assert len(hub.requests) == 1


def test_twenty_cuts_in_a_row_cost_no_byte_twice(fetch: Fetch, hub: Hub, store: UnifiedModelManager) -> None:
    hub.faults.replace([{"kind": "cut", "path": "/_stored/*", "after": 3_500_000, "each": True, "times": 20}])
    manifest = fetch()
    assert store.damage(BASE) == []
    begins = [int((one["range"] or "bytes=0-")[6:-1]) for one in asked_for_weights(hub)]
    assert len(begins) == 21
    assert begins == sorted(begins)
    largest = max(manifest.files, key=lambda entry: entry.size)
    assert largest.size <= sent(hub)[largest.path] <= largest.size + 20 * BLOCK


def test_a_hub_that_publishes_no_digest_is_not_believed() -> None:
    source = HubSource("o/r", "main", "http://hub")
    with pytest.raises(HubError, match="no digest"):
        _remote_file(source, RepoSibling(rfilename="model.safetensors", size=7))
