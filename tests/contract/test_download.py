"""The real download path against the test hub: what arrives is whole and verified, or the failure has its name."""

import errno
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whisper_models.artifact import Manifest
from whisper_models.download import HubSource, Patience, download
from whisper_models.errors import (
    AuthFailed,
    ChecksumMismatch,
    DnsFailed,
    HubError,
    HubUnreachable,
    ModelFailure,
    NotFound,
    PermissionDenied,
    Throttled,
    TooSlow,
    UnsupportedCheckpoint,
)
from whisper_models.progress import Progress, Stage
from whisper_models.store import UnifiedModelManager, publishing

from tests.support.downloads import BASE, ENTRY, QUICK, WEIGHTS, Fetch, asked_for_weights
from tests.support.hub import Hub, serve


def _requests_for_weights(hub: Hub) -> list[str | None]:
    return [request["range"] for request in asked_for_weights(hub)]


def test_what_arrives_is_what_was_published(
    fetch: Fetch, store: UnifiedModelManager, hub: Hub, repositories: Path
) -> None:
    progress = Progress()
    manifest = fetch(progress=progress)

    assert store.manifest(BASE) == manifest
    assert store.damage(BASE) == []
    assert (manifest.source.repo, manifest.source.revision) == (ENTRY.repo, ENTRY.revision)
    for entry in manifest.files:
        assert (store.path(BASE) / entry.path).read_bytes() == (repositories / ENTRY.repo / entry.path).read_bytes()
    snapshot = progress.snapshot()
    assert snapshot.stage is Stage.DOWNLOADING
    assert snapshot.bytes_done == snapshot.bytes_total == manifest.size_bytes


def test_a_finished_variant_is_not_asked_for_again(fetch: Fetch, hub: Hub) -> None:
    first = fetch()
    asked = len(hub.requests)
    assert fetch() == first
    assert len(hub.requests) == asked


def test_a_branch_is_resolved_to_its_commit(fetch: Fetch, hub: Hub) -> None:
    assert fetch(revision="main").source.revision == ENTRY.revision
    fetch(revision="main")
    assert len(_requests_for_weights(hub)) == 1


def test_a_transfer_that_is_cut_goes_on_where_it_stopped(fetch: Fetch, hub: Hub, store: UnifiedModelManager) -> None:
    hub.faults.replace([{"kind": "cut", "path": WEIGHTS, "after": 30_000_000, "times": 1}])
    fetch()
    first, second = _requests_for_weights(hub)
    assert first is None
    assert int((second or "").removeprefix("bytes=").removesuffix("-")) > 28_000_000
    assert store.damage(BASE) == []


def test_a_later_run_continues_what_a_failed_one_left(fetch: Fetch, hub: Hub, store: UnifiedModelManager) -> None:
    hub.faults.replace([{"kind": "cut", "path": WEIGHTS, "after": 30_000_000}])
    with pytest.raises(HubUnreachable):
        fetch()
    assert store.manifest(BASE) is None
    hub.faults.replace([])
    hub.requests.clear()

    progress = Progress()
    manifest = fetch(progress=progress)
    (continued,) = _requests_for_weights(hub)
    assert continued is not None
    assert progress.snapshot().bytes_done == manifest.size_bytes
    assert store.damage(BASE) == []


def test_a_mirror_without_ranges_still_gives_a_whole_file(fetch: Fetch, hub: Hub, store: UnifiedModelManager) -> None:
    hub.faults.replace(
        [
            {"kind": "cut", "path": WEIGHTS, "after": 30_000_000, "times": 1},
            {"kind": "ignore_range", "path": WEIGHTS},
        ]
    )
    progress = Progress()
    manifest = fetch(progress=progress)
    assert store.damage(BASE) == []
    assert progress.snapshot().bytes_done == manifest.size_bytes


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_one_flipped_bit_is_found_and_nothing_is_kept(
    fetch: Fetch, hub: Hub, store: UnifiedModelManager, name: str
) -> None:
    hub.faults.replace([{"kind": "corrupt", "path": f"*/{name}", "after": 500}])
    with pytest.raises(ChecksumMismatch, match=name):
        fetch()
    assert store.manifest(BASE) is None
    assert not list(store.root.rglob(f"{name}*"))

    hub.faults.replace([])
    fetch()
    assert store.damage(BASE) == []


def test_a_kept_part_that_went_bad_is_fetched_anew_without_failing(
    fetch: Fetch, hub: Hub, store: UnifiedModelManager
) -> None:
    hub.faults.replace([{"kind": "cut", "path": WEIGHTS, "after": 30_000_000}])
    with pytest.raises(HubUnreachable):
        fetch()
    hub.faults.replace([])
    (part,) = store.root.rglob("model.safetensors.part")
    with part.open("r+b") as file:
        file.write(b"\0" * 16)

    fetch()
    assert store.damage(BASE) == []


FAILURES: dict[str, tuple[dict[str, Any], dict[str, Any], type[ModelFailure]]] = {
    "5xx on the metadata": ({"kind": "status", "path": "/api/*", "status": 503}, {}, HubError),
    "5xx on a file": ({"kind": "status", "path": WEIGHTS, "status": 502}, {}, HubError),
    "throttled": ({"kind": "status", "status": 429, "retry_after": "600"}, {}, Throttled),
    "401 on a file": ({"kind": "status", "path": WEIGHTS, "status": 401}, {}, AuthFailed),
    "403 on the metadata": ({"kind": "status", "path": "/api/*", "status": 403}, {}, AuthFailed),
    "404 on a file": ({"kind": "status", "path": WEIGHTS, "status": 404}, {}, NotFound),
    "no such repository": ({"kind": "ignore_range"}, {"repo": "openai/whisper-huge"}, NotFound),
    "no such revision": ({"kind": "ignore_range"}, {"revision": "0" * 40}, NotFound),
    "cut before the first byte": ({"kind": "cut", "path": WEIGHTS}, {}, HubUnreachable),
}


@pytest.mark.parametrize("case", FAILURES)
def test_every_failure_of_the_hub_has_its_name(fetch: Fetch, hub: Hub, store: UnifiedModelManager, case: str) -> None:
    fault, source, expected = FAILURES[case]
    hub.faults.replace([fault])
    with pytest.raises(expected) as failure:
        fetch(**source)
    assert type(failure.value) is expected
    assert hub.url in failure.value.message
    assert store.manifests() == []


def test_what_cannot_be_a_repository_is_not_found_without_asking(fetch: Fetch, hub: Hub) -> None:
    with pytest.raises(NotFound, match="organisation/name"):
        fetch(repo="a/b/c")
    assert hub.requests == []


def test_what_passes_is_retried_without_failing(fetch: Fetch, hub: Hub) -> None:
    hub.faults.replace(
        [
            {"kind": "status", "path": "/api/*", "status": 503, "times": 2},
            {"kind": "status", "path": "*config.json", "status": 500, "times": 1},
            {"kind": "status", "path": WEIGHTS, "status": 429, "retry_after": "0", "times": 1},
        ]
    )
    fetch()


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [("http://127.0.0.1:9", HubUnreachable), ("http://no-such-host.invalid", DnsFailed), ("nonsense", HubUnreachable)],
)
def test_a_hub_that_cannot_be_reached_is_named(
    fetch: Fetch, store: UnifiedModelManager, endpoint: str, reason: type[ModelFailure]
) -> None:
    with pytest.raises(reason) as failure:
        fetch(endpoint=endpoint)
    assert type(failure.value) is reason
    assert endpoint in failure.value.message
    assert failure.value.retryable
    fetch()
    assert store.damage(BASE) == []


def test_a_transfer_that_falls_silent_is_ended_and_kept(fetch: Fetch, hub: Hub, store: UnifiedModelManager) -> None:
    hub.faults.replace([{"kind": "stall", "path": WEIGHTS, "after": 5_000_000}])
    with pytest.raises(TooSlow, match="all but stopped"):
        fetch(Patience(attempts=1, silence=1.5))
    (part,) = store.root.rglob("model.safetensors.part")
    assert part.stat().st_size > 0


def test_a_token_is_sent_to_the_hub_and_shown_to_nobody(repositories: Path, store: UnifiedModelManager) -> None:
    with serve(repositories, token="hf_secret") as hub:
        source = HubSource(ENTRY.repo, ENTRY.revision, hub.url, token="hf_wrong")
        with pytest.raises(AuthFailed) as refused:
            download(store, "tiny.en", source, Progress(), QUICK)
        right = HubSource(ENTRY.repo, ENTRY.revision, hub.url, token="hf_secret")
        manifest = download(store, "tiny.en", right, Progress(), QUICK)
    assert "hf_" not in f"{refused.value.message}{source!r}{manifest.model_dump_json()}"


def test_a_volume_of_somebody_elses_is_named(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raised by hand, since nothing is forbidden to the user that tests run as."""

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(publishing, "sync", refuse)
    with pytest.raises(PermissionDenied):
        fetch()


@pytest.fixture
def pickled(tmp_path: Path) -> Iterator[Hub]:
    folder = tmp_path / "hub/o/pickled"
    folder.mkdir(parents=True)
    for name in ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json"):
        (folder / name).write_text(json.dumps({}))
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with serve(tmp_path / "hub") as server:
        yield server


def test_a_checkpoint_that_is_only_a_pickle_is_refused(pickled: Hub, store: UnifiedModelManager) -> None:
    source = HubSource("o/pickled", "main", pickled.url)
    with pytest.raises(UnsupportedCheckpoint, match="pickle"):
        download(store, "mine", source, Progress(), QUICK)


def test_two_that_ask_at_once_cause_one_download(fetch: Fetch, hub: Hub) -> None:
    manifests: list[Manifest] = []
    threads = [threading.Thread(target=lambda: manifests.append(fetch())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(manifests) == 2
    assert manifests[0] == manifests[1]
    assert len(_requests_for_weights(hub)) == 1
