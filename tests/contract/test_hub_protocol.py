"""The test hub against the real client of the Hub: what the client believes is what the public Hub would have said."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import get_hf_file_metadata
from whisper_models.catalogue import lookup

from tests.support.hub import Hub, serve

ENTRY = lookup("tiny.en")


@pytest.fixture
def api(hub: Hub) -> HfApi:
    return HfApi(endpoint=hub.url, token=False)


@pytest.mark.parametrize("revision", [None, "main", ENTRY.revision])
def test_a_revision_resolves_to_the_pinned_commit(api: HfApi, revision: str | None) -> None:
    assert api.model_info(ENTRY.repo, revision=revision).sha == ENTRY.revision


def test_large_files_are_published_with_sha256_and_small_ones_with_their_git_hash(
    api: HfApi, repositories: Path
) -> None:
    siblings = {file.rfilename: file for file in api.model_info(ENTRY.repo, files_metadata=True).siblings or ()}
    weights = siblings["model.safetensors"]
    content = (repositories / ENTRY.repo / "config.json").read_bytes()

    assert weights.lfs is not None
    assert weights.size == weights.lfs.size == (repositories / ENTRY.repo / "model.safetensors").stat().st_size
    assert siblings["config.json"].lfs is None
    assert siblings["config.json"].blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def test_metadata_of_a_large_file_is_that_of_what_it_links_to(hub: Hub, api: HfApi) -> None:
    url = f"{hub.url}/{ENTRY.repo}/resolve/main/model.safetensors"
    metadata = get_hf_file_metadata(url, token=False)
    siblings = {file.rfilename: file for file in api.model_info(ENTRY.repo, files_metadata=True).siblings or ()}

    assert metadata.commit_hash == ENTRY.revision
    assert siblings["model.safetensors"].lfs is not None
    assert metadata.etag == siblings["model.safetensors"].lfs.sha256
    assert metadata.size == siblings["model.safetensors"].size


def test_the_client_downloads_what_lies_in_the_folder(hub: Hub, repositories: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        found = hf_hub_download(ENTRY.repo, name, endpoint=hub.url, cache_dir=tmp_path, token=False)
        assert Path(found).read_bytes() == (repositories / ENTRY.repo / name).read_bytes()


CASES: dict[str, tuple[Callable[[HfApi], object], type[Exception]]] = {
    "repository": (lambda api: api.model_info("openai/whisper-huge"), RepositoryNotFoundError),
    "revision": (lambda api: api.model_info(ENTRY.repo, revision="0" * 40), RevisionNotFoundError),
    "file": (lambda api: api.hf_hub_download(ENTRY.repo, "pytorch_model.bin"), RemoteEntryNotFoundError),
}


@pytest.mark.parametrize("what", CASES)
def test_what_is_not_there_is_named_as_on_the_hub(api: HfApi, what: str) -> None:
    ask, expected = CASES[what]
    with pytest.raises(expected):
        ask(api)


def test_a_hub_with_a_token_answers_401_without_it(repositories: Path) -> None:
    with serve(repositories, token="right") as hub:
        with pytest.raises(HfHubHTTPError) as refused:
            HfApi(endpoint=hub.url, token="wrong").model_info(ENTRY.repo)
        assert refused.value.response.status_code == 401
        assert HfApi(endpoint=hub.url, token="right").model_info(ENTRY.repo).sha == ENTRY.revision


def test_a_range_is_answered_with_exactly_that_part(hub: Hub, repositories: Path) -> None:
    content = (repositories / ENTRY.repo / "model.safetensors").read_bytes()
    url = f"{hub.url}/{ENTRY.repo}/resolve/main/model.safetensors"
    with httpx.Client(follow_redirects=True, trust_env=False) as client:
        part = client.get(url, headers={"Range": f"bytes={len(content) - 10}-"})
        beyond = client.get(url, headers={"Range": f"bytes={len(content)}-"})

    assert (part.status_code, part.content) == (206, content[-10:])
    assert part.headers["Content-Range"] == f"bytes {len(content) - 10}-{len(content) - 1}/{len(content)}"
    assert beyond.status_code == 416


def _switch(hub: Hub, *faults: dict[str, Any]) -> None:
    httpx.post(f"{hub.url}/_faults", content=json.dumps(faults), trust_env=False).raise_for_status()


def test_faults_are_switched_on_and_off_while_it_runs(hub: Hub, repositories: Path) -> None:
    url = f"{hub.url}/{ENTRY.repo}/resolve/main/config.json"
    content = (repositories / ENTRY.repo / "config.json").read_bytes()
    with httpx.Client(trust_env=False) as client:
        _switch(hub, {"kind": "corrupt", "path": "*config.json", "after": 3})
        flipped = client.get(url).content
        assert [at for at in range(len(content)) if flipped[at] != content[at]] == [3]

        _switch(hub, {"kind": "status", "status": 429, "retry_after": "7", "times": 1})
        assert client.get(url).headers["Retry-After"] == "7"
        assert client.get(url).content == content

        _switch(hub, {"kind": "cut", "after": 10})
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(url)

        _switch(hub)
        assert client.get(url).content == content


def test_an_unknown_fault_is_refused(hub: Hub) -> None:
    answer = httpx.post(f"{hub.url}/_faults", json=[{"kind": "gremlins"}], trust_env=False)
    assert answer.status_code == 400
    assert "gremlins" in answer.json()["error"]
