"""The tokenizer's merges, whole: a package may have lost the first, without which common words fall apart.

In Whisper's vocabulary the first 256 tokens are single bytes, and the token after them is made by the first merge, and
so on: every token says which merge made it. That tells a list that is whole from one that is not.
"""

from __future__ import annotations

from typing import Any

BYTES = 256
MERGES = 50_000
FIRST = "Ġ t"  # a space and a t: the most frequent pair of all that Whisper was trained on


def whole(tokenizer: dict[str, Any]) -> dict[str, Any]:
    """The same tokenizer with all of its merges.

    Raises:
        ValueError: the merges are not the ones that made the vocabulary, even with the first put back.
    """
    model = tokenizer["model"]
    merges = list(model["merges"])
    if len(merges) == MERGES - 1:
        merges.insert(0, FIRST)
    for place, merge in enumerate(merges):
        if model["vocab"].get(merge.replace(" ", "")) != BYTES + place:
            raise ValueError(f"merge {place} of the tokenizer ({merge!r}) does not make token {BYTES + place}")
    if len(merges) != MERGES:
        raise ValueError(f"the tokenizer has {len(merges)} merges, not {MERGES}")
    return {**tokenizer, "model": {**model, "merges": merges}}
