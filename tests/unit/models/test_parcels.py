"""The checkpoints that tests are made of have a tokenizer that is whole, whatever their packages lack."""

import json
from typing import Any

import pytest
from tokenizers import Tokenizer

from tests.support.weights import PARCELS
from tests.support.weights.tokenizer import MERGES, whole

THE = " the"


def _packaged(model: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PARCELS[model].file("tokenizer.json").read_text())
    return found


@pytest.mark.parametrize("model", PARCELS)
def test_every_merge_is_there_and_a_common_word_is_one_token(model: str) -> None:
    tokenizer = whole(_packaged(model))
    assert len(tokenizer["model"]["merges"]) == MERGES
    assert len(Tokenizer.from_str(json.dumps(tokenizer)).encode(" t", add_special_tokens=False).ids) == 1
    assert len(Tokenizer.from_str(json.dumps(tokenizer)).encode(THE, add_special_tokens=False).ids) == 1


def test_the_package_of_base_lacks_its_first_merge_and_gets_it_back() -> None:
    packaged = _packaged("base")
    assert packaged["model"]["merges"][0] == "Ġ a"
    assert len(Tokenizer.from_str(json.dumps(packaged)).encode(THE, add_special_tokens=False).ids) > 1
    assert whole(packaged)["model"]["merges"][:2] == ["Ġ t", "Ġ a"]


def test_what_is_whole_stays_as_it_is() -> None:
    assert whole(_packaged("tiny.en")) == _packaged("tiny.en")


@pytest.mark.parametrize("lost", [7, -1], ids=["one from the middle", "the last"])
def test_other_losses_are_refused(lost: int) -> None:
    tokenizer = _packaged("tiny.en")
    del tokenizer["model"]["merges"][lost]
    with pytest.raises(ValueError, match="does not make token"):
        whole(tokenizer)
