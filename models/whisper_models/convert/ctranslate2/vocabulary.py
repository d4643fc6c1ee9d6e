"""The vocabulary and the settings that CTranslate2 keeps beside the weights, as its own converter writes them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.tokenizer import read_tokenizer
from whisper_models.errors import UnsupportedCheckpoint

LANGUAGE = re.compile(r"<\|[a-z]{2,3}\|>")
SECONDS_PER_TIMESTAMP = 0.02


def tokens_by_number(source: Path) -> dict[int, str]:
    """Every token that `tokenizer.json` knows, the special ones too.

    Raises:
        Incomplete, UnsupportedCheckpoint: as `read_tokenizer` says.
    """
    content = read_tokenizer(source)
    try:
        ordinary = {int(number): str(token) for token, number in content["model"]["vocab"].items()}
        return ordinary | {int(token["id"]): str(token["content"]) for token in content["added_tokens"]}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UnsupportedCheckpoint(f"{source}/tokenizer.json is not that of a Whisper model: {error!r}") from error


def vocabulary(tokens: dict[int, str], size: int) -> list[str]:
    """As many tokens as the model has logits; timestamps follow, where the tokenizer leaves them out.

    Raises:
        UnsupportedCheckpoint: a number has no token.
    """
    named = [tokens[number] for number in sorted(tokens) if number < size]
    if sorted(tokens)[: len(named)] != list(range(len(named))):
        raise UnsupportedCheckpoint("tokenizer.json leaves out numbers between its tokens: use the one as published")
    return [*named, *(f"<|{place * SECONDS_PER_TIMESTAMP:.2f}|>" for place in range(size - len(named)))]


def settings(checkpoint: WhisperCheckpoint, tokens: dict[int, str]) -> dict[str, Any]:
    """What `config.json` of a CTranslate2 Whisper says.

    The languages are the ones that the checkpoint lists; English-only ones list none but have the tokens all the same.

    Raises:
        UnsupportedCheckpoint: a number in `generation_config.json` is none of a token.
    """
    generation = checkpoint.generation
    named = generation.lang_to_id.values() if generation.lang_to_id else ()
    numbers = {
        "lang_ids": sorted(named) or [number for number in sorted(tokens) if LANGUAGE.fullmatch(tokens[number])],
        "suppress_ids": generation.suppress_tokens or [],
        "suppress_ids_begin": generation.begin_suppress_tokens or [],
    }
    size = checkpoint.dimensions.vocab_size
    for name, chosen in numbers.items():
        if any(not 0 <= number < size for number in chosen):
            raise UnsupportedCheckpoint(f"generation_config.json: {name} has a token that the model's {size} lack")
    return {"alignment_heads": [list(head) for head in checkpoint.alignment_heads], **numbers}
