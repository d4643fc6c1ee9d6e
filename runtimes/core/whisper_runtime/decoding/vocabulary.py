"""The tokens of one model: which are text, which are orders, which are times, and which must never be said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

SECONDS_PER_TIMESTAMP = 0.02
_MAX_PROMPT = 223
"""Half of the decoder's 448 positions, less the token that announces a prompt."""
_MAX_HOTWORDS = _MAX_PROMPT // 2

Mask = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Read once from a model's folder. Ids in the order of Whisper's vocabulary: text, end, orders, times."""

    size: int
    end: int
    start: int
    previous: int
    no_speech: int
    no_timestamps: int
    first_timestamp: int
    latest_first_timestamp: int
    languages: dict[str, int]
    """Code → token; empty for an English-only model."""
    tasks: dict[str, int]
    alignment_heads: int
    never: Mask
    """Added to the logits: -inf for what is never said."""
    never_first: Mask
    tokenizer: Tokenizer

    @classmethod
    def read(cls, folder: Path) -> Vocabulary:
        """From a variant's folder."""
        config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        generation: dict[str, Any] = json.loads((folder / "generation_config.json").read_text())
        size, end = config["vocab_size"], generation["eos_token_id"]
        no_timestamps = generation["no_timestamps_token_id"]
        never = _mask(size, generation["suppress_tokens"])
        never[end + 1 : no_timestamps + 1] = -np.inf
        never_first = never + _mask(size, generation["begin_suppress_tokens"])
        return cls(
            size=size,
            end=end,
            start=generation["decoder_start_token_id"],
            previous=no_timestamps - 2,
            no_speech=no_timestamps - 1,
            no_timestamps=no_timestamps,
            first_timestamp=no_timestamps + 1,
            latest_first_timestamp=no_timestamps + 1 + generation.get("max_initial_timestamp_index", 50),
            languages={tag.strip("<|>"): token for tag, token in generation.get("lang_to_id", {}).items()},
            tasks=dict(generation.get("task_to_id", {})),
            alignment_heads=len(generation.get("alignment_heads", ())),
            never=never,
            never_first=never_first,
            tokenizer=Tokenizer.from_file(str(folder / "tokenizer.json")),
        )

    @property
    def multilingual(self) -> bool:
        """Whether there are languages to choose from."""
        return bool(self.languages)

    def orders(self, language: str, task: str) -> tuple[int, ...]:
        """What follows the start token: language and task, or nothing where a model knows only one of each."""
        return (self.languages[language], self.tasks[task]) if self.multilingual else ()

    def prompt(self, text: str | None, hotwords: str | None = None) -> tuple[int, ...]:
        """What precedes the start token: words that are likely to come, then the end of what was said before.

        Hotwords stand where faster-whisper puts them, and take at most half of the room.
        """
        likely = self._words(hotwords)[:_MAX_HOTWORDS]
        before = self._words(text)[len(likely) - _MAX_PROMPT :]
        return (self.previous, *likely, *before) if likely or before else ()

    def _words(self, text: str | None) -> list[int]:
        if not text or not text.strip():
            return []
        ids = self.tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids
        return [token for token in ids if token < self.end]

    def text(self, tokens: tuple[int, ...] | list[int]) -> str:
        """The words of some tokens; orders and times are left out."""
        said: str = self.tokenizer.decode([token for token in tokens if token < self.end], skip_special_tokens=True)
        return said

    def bytes_of(self, token: int) -> bytes:
        """The part of the text that a token stands for; it need not be a whole character."""
        return bytes(_BYTES[character] for character in cast("str", self.tokenizer.id_to_token(token)))


def _bytes_by_character() -> dict[str, int]:
    """GPT-2's alphabet: a printable character for each byte; those that are not printable follow from U+0100 on."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = (byte for byte in range(256) if byte not in printable)
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


_BYTES = _bytes_by_character()


def _mask(size: int, tokens: list[int]) -> Mask:
    mask = np.zeros(size, np.float32)
    mask[[token for token in tokens if 0 <= token < size]] = -np.inf
    return mask
