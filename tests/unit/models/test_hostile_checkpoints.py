"""Whatever a checkpoint's files say: read or refused by name, nothing outside the folder, nothing huge allocated."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.ctranslate2.vocabulary import settings as ctranslate2_settings
from whisper_models.convert.ctranslate2.vocabulary import tokens_by_number, vocabulary
from whisper_models.convert.weights import Weights
from whisper_models.errors import Incomplete, UnsupportedCheckpoint
from whisper_models.shards import shards_named_by

from tests.support import random_checkpoint

ENOUGH = 24 << 20
"""Bytes: what reading a small checkpoint may take at most, all libraries' doings included."""
LONGEST_MESSAGE = 600

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(
        [float("inf"), -1, 0, 2**31, 2**63, 10**30, "1", "../a.safetensors", "/etc/passwd", "\ud800", "a" * 5000]
    ),
    st.text(max_size=5),
)
ANYTHING = st.recursive(
    ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
FILES = ("config.json", "generation_config.json", "tokenizer.json")


@contextmanager
def bounded() -> Iterator[None]:
    """No more than ENOUGH is allocated within, and what is raised is one of our own in a line that fits a status."""
    said = ""
    tracemalloc.start()
    try:
        yield
    except (UnsupportedCheckpoint, Incomplete) as error:
        said = str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < ENOUGH
    assert len(said.encode()) < LONGEST_MESSAGE  # and can be written anywhere


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    return random_checkpoint.write_whole(folder, random_checkpoint.random_tensors(80), mel_bins=80)


Changed = Callable[[str, bytes], Path]


@pytest.fixture(scope="module")
def changed(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Changed:
    """The sound checkpoint with one file of another content."""
    folder = tmp_path_factory.mktemp("changed")

    def make(name: str, content: bytes) -> Path:
        for path in sound.iterdir():
            place = folder / path.name
            place.unlink(missing_ok=True)
            place.hardlink_to(path)
        (folder / name).unlink()
        (folder / name).write_bytes(content)
        return folder

    return make


def read_all(folder: Path) -> None:
    """Everything that a converter reads before it writes."""
    checkpoint = open_checkpoint(folder)
    tokens = tokens_by_number(folder)
    vocabulary(tokens, checkpoint.dimensions.vocab_size)
    ctranslate2_settings(checkpoint, tokens)
    for array in checkpoint.weights.values():
        assert array.nbytes <= 2 * (folder / "model.safetensors").stat().st_size


def header_of(file: Path) -> tuple[dict[str, Any], bytes]:
    content = file.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def with_header(header: object, data: bytes) -> bytes:
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data


def test_the_sound_one_is_read(sound: Path) -> None:
    read_all(sound)


fuzzed = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzzed
@given(data=st.data())
def test_a_settings_file_with_one_value_changed_is_read_or_refused(
    sound: Path, changed: Changed, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(FILES))
    content = json.loads((sound / name).read_text())
    place, key = content, data.draw(st.sampled_from(sorted(content)))
    while isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place)))
    place[key] = data.draw(ANYTHING)
    folder = changed(name, json.dumps(content).encode())
    with bounded():
        read_all(folder)


@fuzzed
@given(
    name=st.sampled_from([*FILES, "model.safetensors"]),
    content=st.binary(max_size=400) | ANYTHING.map(lambda value: json.dumps(value).encode()),
)
def test_arbitrary_files_are_refused(changed: Changed, name: str, content: bytes) -> None:
    folder = changed(name, content)
    with bounded():
        read_all(folder)


@fuzzed
@given(data=st.data())
def test_a_header_with_one_value_changed_is_read_or_refused(sound: Path, changed: Changed, data: st.DataObject) -> None:
    header, numbers = header_of(sound / "model.safetensors")
    entry = header[data.draw(st.sampled_from(sorted(header)))]
    key = data.draw(st.sampled_from(sorted(entry)))
    numbers_of = st.lists(st.sampled_from([0, 1, -1, 64, 2**40, 2**63, 10**400, True, 1.0, None]), max_size=6)
    entry[key] = data.draw(ANYTHING | numbers_of | st.sampled_from(["F32", "F16", "BF16", "I8"]))
    folder = changed("model.safetensors", with_header(header, numbers))
    with bounded():
        read_all(folder)


@fuzzed
@given(content=ANYTHING.map(lambda value: json.dumps({"weight_map": value})) | ANYTHING.map(json.dumps))
def test_an_index_names_files_of_its_own_folder_or_is_refused(tmp_path: Path, content: str) -> None:
    with bounded():
        for name in shards_named_by(content.encode()):
            assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with bounded():
        Weights(tmp_path)


def test_tensors_that_share_their_bytes_are_refused(sound: Path, changed: Changed) -> None:
    header, numbers = header_of(sound / "model.safetensors")
    many = {f"{name}{copy}": entry for name, entry in header.items() for copy in range(3)}
    with pytest.raises(UnsupportedCheckpoint, match="larger than it is"):
        Weights(changed("model.safetensors", with_header(many, numbers)))


def test_a_million_layers_are_refused_before_a_list_of_their_heads_is_made(sound: Path, changed: Changed) -> None:
    content = json.loads((sound / "config.json").read_text())
    content |= {"decoder_layers": 10**6, "decoder_attention_heads": 10**6}
    folder = changed("config.json", json.dumps(content).encode())
    with bounded(), pytest.raises(UnsupportedCheckpoint, match="decoder_layers"):
        open_checkpoint(folder)


def test_heads_that_do_not_divide_the_width_are_refused(sound: Path, changed: Changed) -> None:
    content = json.loads((sound / "config.json").read_text()) | {"encoder_attention_heads": 3}
    with pytest.raises(UnsupportedCheckpoint, match="number of attention heads"):
        open_checkpoint(changed("config.json", json.dumps(content).encode()))


@pytest.mark.parametrize("name", [*FILES, "model.safetensors.index.json"])
def test_a_settings_file_of_many_megabytes_is_not_read_whole(
    sound: Path, changed: Changed, tmp_path: Path, name: str
) -> None:
    folder = tmp_path if name.endswith("index.json") else changed(name, b"{}")
    with (folder / name).open("wb") as file:
        file.truncate(1 << 32)  # no bytes on disk
    tracemalloc.start()
    with pytest.raises(UnsupportedCheckpoint, match="is larger than"):
        Weights(folder) if folder == tmp_path else read_all(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 << 20


@pytest.mark.parametrize(
    "tensor", ["model.encoder.layers.0.fc1.weight", "model.decoder.layers.1.encoder_attn.q_proj.bias"]
)
def test_a_tensor_that_is_missing_or_of_another_shape_is_named(sound: Path, changed: Changed, tensor: str) -> None:
    header, numbers = header_of(sound / "model.safetensors")
    header[tensor]["shape"] = [1, *header[tensor]["shape"]]
    with pytest.raises(UnsupportedCheckpoint, match=tensor):
        open_checkpoint(changed("model.safetensors", with_header(header, numbers)))
    del header[tensor]
    with pytest.raises(UnsupportedCheckpoint, match=f"no tensor {tensor}"):
        open_checkpoint(changed("model.safetensors", with_header(header, numbers)))
