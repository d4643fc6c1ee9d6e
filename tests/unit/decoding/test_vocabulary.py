"""What precedes the start token, and what a token stands for."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from whisper_runtime.decoding.vocabulary import _BYTES, Vocabulary

from tests.support.artifacts import onnx_store

PREVIOUS = 900


@pytest.fixture
def vocabulary() -> Vocabulary:
    """Every byte is a token."""
    tokenizer = Tokenizer(BPE(dict(_BYTES), []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    made = Vocabulary.__new__(Vocabulary)
    for name, value in {"tokenizer": tokenizer, "end": 256, "previous": PREVIOUS}.items():
        object.__setattr__(made, name, value)
    return made


def ids(text: str) -> list[int]:
    return list(text.encode())


def test_a_prompt_is_announced_and_keeps_its_end(vocabulary: Vocabulary) -> None:
    assert vocabulary.prompt(None) == vocabulary.prompt("  ") == ()
    assert vocabulary.prompt("before") == (PREVIOUS, *ids(" before"))
    assert vocabulary.prompt("x" * 500 + "end") == (PREVIOUS, *ids("x" * 220 + "end"))


def test_hotwords_come_first_and_take_at_most_half(vocabulary: Vocabulary) -> None:
    assert vocabulary.prompt("said", "Kubernetes") == (PREVIOUS, *ids(" Kubernetes said"))
    assert vocabulary.prompt(None, "Kubernetes") == (PREVIOUS, *ids(" Kubernetes"))
    both = vocabulary.prompt("said " * 100, "hot" * 100)
    assert len(both) == 1 + 223
    assert both[1:112] == tuple(ids(" " + "hot" * 100)[:111])
    assert both[-4:] == tuple(ids("said"))


def test_tokens_are_bytes_of_the_text() -> None:
    assert sorted(_BYTES.values()) == list(range(256))
    vocabulary = Vocabulary.read(next(onnx_store("tiny.en").glob("onnx/*/int8")))
    for text in (" country can", " ß€𝄞", "\n\t"):
        tokens = vocabulary.tokenizer.encode(text, add_special_tokens=False).ids
        assert b"".join(map(vocabulary.bytes_of, tokens)).decode() == text
