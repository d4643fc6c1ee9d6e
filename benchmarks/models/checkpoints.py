"""What is converted: two models with real weights, and one in the shape of large-v3 with random ones."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.models.processes import OURS, run
from tests.support import shaped_checkpoint
from tests.support.shaped_checkpoint import Sizes
from tests.support.weights import PARCELS, hf_folder

LARGE = "large-v3-shape"
PART = "large-v3-eighth"
"""As wide as large-v3 and with an eighth of its layers: large enough for a download to take its time."""
SIZES = {LARGE: Sizes(), PART: Sizes(layers=4)}


def checkpoint(name: str, scratch: Path) -> Path:
    """The folder as published."""
    if name in PARCELS:
        return hf_folder(name)
    folder = scratch / name
    if not folder.exists():
        folder.mkdir()
        shaped_checkpoint.write(folder, SIZES[name])
        _complete(folder, SIZES[name])
    return folder


def _complete(folder: Path, sizes: Sizes) -> None:
    """With Whisper's own tokenizer, and all that transformers reads of a configuration and ours does not."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((hf_folder("base") / name).read_bytes())
    config, real = (json.loads((place / "config.json").read_text()) for place in (folder, hf_folder("base")))
    inner = {"encoder_ffn_dim": sizes.inner, "decoder_ffn_dim": sizes.inner, "num_hidden_layers": sizes.layers}
    (folder / "config.json").write_text(json.dumps(real | config | inner))


def stored(source: Path, name: str, root: Path) -> None:
    """Take a checkpoint into a store, from which our command converts."""
    run([*OURS, "download", "--root", str(root), "--models", name, "--from", str(source), "--quiet"])


def size_bytes(folder: Path) -> int:
    """Of all files."""
    return sum(path.stat().st_size for path in folder.iterdir())
