"""Of what a repository holds, only what is read is fetched."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_models.download.selection import RemoteFile, require_shards, select
from whisper_models.errors import Incomplete, NotFound, UnsupportedCheckpoint
from whisper_models.shards import shards_named_by

SMALL = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json")


def _files(*names: str) -> dict[str, RemoteFile]:
    return {name: RemoteFile(name, 1, None, None) for name in names}


def _selected(*names: str) -> list[str]:
    return [file.path for file in select("o/r", _files(*names))]


def test_one_copy_of_the_weights_is_fetched_and_no_other_frameworks() -> None:
    others = ("README.md", "pytorch_model.bin", "flax_model.msgpack", "tf_model.h5", "normalizer.json", "vocab.json")
    shards_in_float32 = ("model.fp32-00001-of-00002.safetensors", "model.fp32-00002-of-00002.safetensors")
    assert _selected(*SMALL, *others, *shards_in_float32, "model.safetensors") == [
        *SMALL,
        "vocab.json",
        "model.safetensors",
    ]


def test_shards_are_fetched_with_their_index_first() -> None:
    shards = ("model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors")
    index = "model.safetensors.index.json"
    assert _selected(*SMALL, *shards, index) == [*SMALL, index, shards[1], shards[0]]


def test_a_pickle_is_refused_with_the_reason() -> None:
    with pytest.raises(UnsupportedCheckpoint, match="pickle only"):
        select("o/r", _files(*SMALL, "pytorch_model.bin"))


def test_a_repository_without_weights_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"model\.safetensors"):
        select("o/r", _files(*SMALL))


def test_a_missing_small_file_is_named() -> None:
    with pytest.raises(NotFound, match=r"tokenizer\.json"):
        select("o/r", _files(*SMALL[:-1], "model.safetensors"))


def test_an_index_that_names_an_absent_shard_is_incomplete() -> None:
    index = json.dumps({"weight_map": {"a": "model-00001-of-00001.safetensors"}}).encode()
    with pytest.raises(Incomplete, match="model-00001-of-00001"):
        require_shards(index, set())


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "a/b", "", "..", "config.json", 7])
def test_an_index_cannot_lead_outside_its_folder(name: object) -> None:
    with pytest.raises(UnsupportedCheckpoint):
        shards_named_by(json.dumps({"weight_map": {"a": name}}).encode())


@settings(deadline=None)
@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(lambda x: json.dumps(x).encode()))
def test_an_index_of_arbitrary_bytes_is_refused_not_crashed_on(content: bytes) -> None:
    with pytest.raises(UnsupportedCheckpoint):
        shards_named_by(content)
