"""How a published checkpoint names the files of its weights: one, or shards and an index of them."""

from __future__ import annotations

import json
import re

from whisper_models.errors import UnsupportedCheckpoint

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PLAIN = re.compile(r"[\w.-]{1,200}\.safetensors", re.ASCII)
SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")


def shards_named_by(index: bytes) -> set[str]:
    """The files that an index says the weights are in.

    Raises:
        UnsupportedCheckpoint: it is not an index, or names files elsewhere.
    """
    try:
        names = set(json.loads(index)["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnsupportedCheckpoint(f"{INDEX} is not an index of weights: use a checkpoint saved anew") from error
    odd = sorted(ascii(name)[:80] for name in names if not isinstance(name, str) or not PLAIN.fullmatch(name))
    if odd:
        raise UnsupportedCheckpoint(f"{INDEX} names files outside its folder: {', '.join(odd[:3])}")
    if not names:
        raise UnsupportedCheckpoint(f"{INDEX} names no file: use a checkpoint saved anew")
    return names
