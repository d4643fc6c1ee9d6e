"""A checkpoint's `tokenizer.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from whisper_models.convert.small_files import TOKENIZER, read_small, short
from whisper_models.errors import UnsupportedCheckpoint

NAME = "tokenizer.json"


def read_tokenizer(source: Path) -> dict[str, Any]:
    """The file of the checkpoint in folder `source`.

    Raises:
        Incomplete: there is none.
        UnsupportedCheckpoint: it is not byte-level BPE, as Whisper's is.
    """
    path = source / NAME
    try:
        tokenizer = json.loads(read_small(path, TOKENIZER))
        kind = tokenizer["model"]["type"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnsupportedCheckpoint(f"{path} is not that of a Whisper model: {error!r}") from error
    if kind != "BPE":
        raise UnsupportedCheckpoint(f"{path} is {short(kind)}, not byte-level BPE: the checkpoint is not a Whisper")
    return dict(tokenizer)
