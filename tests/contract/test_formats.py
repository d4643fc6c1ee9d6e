"""Every format and precision that is offered, of tiny.en and base, in its own engine: made, loaded, and heard.

Each is converted once and kept by what made it; the reference, FP32 ONNX, is heard once for each model. What is claimed
in docs/reference/formats.md of the precisions that cost words is held against what they cost here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from whisper_models.artifact import THRESHOLD, Format, Precision, Transcript, Validation, Variant
from whisper_models.clips import BUNDLED
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager
from whisper_models.validate import validate
from whisper_models.validate.transcribers import onnx
from whisper_models.validate.windows import windows

from tests.support.artifacts import converted_folder, linked_copy, store_with
from tests.support.formats import FOUR_BITS, variants
from tests.support.words import JFK_WORDS, SAMPLE, sample_words, word_errors

MODELS = ("tiny.en", "base")
ALL = [variant for model in MODELS for variant in variants(model)]
PAGE = Path("docs/reference/formats.md")
OTHER_PROCESSORS = 2
"""Word errors more than on the page that are let pass: processors round four bits differently."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> UnifiedModelManager:
    """Fills with what the tests add to it, so that each finds the reference of those before."""
    return UnifiedModelManager(tmp_path_factory.mktemp("formats"))


@pytest.fixture(scope="module")
def telephone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of samples: half a minute of two people on a telephone."""
    folder = tmp_path_factory.mktemp("telephone")
    (folder / SAMPLE.name).symlink_to(SAMPLE.resolve())
    return folder


def validated(store: UnifiedModelManager, variant: Variant, samples: Path | None = None) -> Validation:
    linked_copy(store_with(variant), store.root)
    found = validate(store, variant, samples, THRESHOLD, Progress()).validation
    assert found
    return found


def heard(found: Validation, clip: str) -> Transcript:
    return next(transcript for transcript in found.transcripts if transcript.clip == clip)


@pytest.mark.parametrize("variant", [one for one in ALL if one.precision not in FOUR_BITS], ids=str)
def test_it_loads_in_its_engine_and_hears_every_word(store: UnifiedModelManager, variant: Variant) -> None:
    found = validated(store, variant)
    assert word_errors(JFK_WORDS, heard(found, "jfk.wav").text) == 0
    assert found.similarity >= THRESHOLD


@pytest.mark.parametrize("variant", [one for one in ALL if one.precision in FOUR_BITS], ids=str)
def test_what_four_bits_cost_is_what_the_page_says(
    store: UnifiedModelManager, telephone: Path, variant: Variant
) -> None:
    linked_copy(store_with(Variant(variant.model, Format.ONNX, Precision.FP32)), store.root)
    found = validated(store, variant, telephone)
    claimed = claims()[str(variant)]
    assert word_errors(JFK_WORDS, heard(found, "jfk.wav").text) <= claimed["jfk"] + OTHER_PROCESSORS
    assert word_errors(sample_words(), heard(found, SAMPLE.name).text) <= claimed["telephone"] + 3 * OTHER_PROCESSORS


def test_the_page_tells_of_every_variant() -> None:
    assert claims().keys() == {str(variant) for variant in ALL}


def claims() -> dict[str, dict[str, int]]:
    """Variant → word errors of both clips, from the page's table."""
    rows = re.findall(r"^\| `([^`]+)` \| \d+ \| (\d+) \| (\d+) \|", PAGE.read_text(), re.MULTILINE)
    return {name: {"jfk": int(jfk), "telephone": int(telephone)} for name, jfk, telephone in rows}


def test_the_reference_finds_the_language_by_itself() -> None:
    transcribe = onnx.load(converted_folder("base", Format.ONNX, "int8"))
    (window,) = windows(BUNDLED[0])
    assert word_errors(JFK_WORDS, transcribe(window, None)) == 0
    with pytest.raises(ValueError, match=r"'xx'.*NAME\.LANGUAGE\.wav"):
        transcribe(window, "xx")
