"""Names people use, and pins that cannot move."""

import re

import pytest
from whisper_models.artifact import MODEL_NAME
from whisper_models.catalogue import CATALOGUE, canonical, lookup
from whisper_models.errors import UnknownModel


@pytest.mark.parametrize("name", ["tiny.en", "whisper-tiny.en"])
def test_a_model_is_found_by_its_short_and_its_long_name(name: str) -> None:
    assert lookup(name).repo == "openai/whisper-tiny.en"
    assert canonical(name) == "tiny.en"


@pytest.mark.parametrize(("asked", "near"), [("tiny-en", "tiny.en"), ("large-v3-turob", "large-v3-turbo")])
def test_a_misspelt_name_is_answered_with_the_nearest(asked: str, near: str) -> None:
    with pytest.raises(UnknownModel, match=re.escape(f"did you mean {near}")):
        lookup(asked)


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_every_entry_is_pinned_to_a_commit_and_can_be_a_folder(entry: object) -> None:
    assert entry in CATALOGUE.values()
    found = lookup(getattr(entry, "name", ""))
    assert re.fullmatch(r"[0-9a-f]{40}", found.revision)
    assert MODEL_NAME.fullmatch(found.name)
    assert found.english_only == found.name.endswith(".en")
    assert found.mel_bins == (128 if found.name.startswith("large-v3") else 80)


def test_only_multilingual_models_that_were_trained_to_translate_do() -> None:
    assert {name for name, entry in CATALOGUE.items() if entry.translates} == {
        "tiny",
        "base",
        "small",
        "medium",
        "large-v2",
        "large-v3",
    }


def test_no_two_entries_share_a_pin() -> None:
    assert len({entry.revision for entry in CATALOGUE.values()}) == len(CATALOGUE)
