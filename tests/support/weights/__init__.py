"""Real Whisper checkpoints for tests, demo and benchmarks where no model hub is reachable.

The weights travel inside packages as CTranslate2 float16, which is the precision they were published in, so turning
them into a published checkpoint loses nothing. Needs numpy, safetensors and the weights' package: no torch, no network.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from safetensors.numpy import save

from tests.support.weights.checkpoint import checkpoint
from tests.support.weights.configs import configs
from tests.support.weights.ctranslate2 import read
from tests.support.weights.packages import PARCELS
from tests.support.weights.tokenizer import whole

__all__ = ["PARCELS", "cache_root", "hf_folder", "source_digest", "write_hf_folder"]


def cache_root() -> Path:
    """The one folder outside the checkout."""
    return Path(os.environ.get("WHISPER_CACHE") or Path.home() / ".cache" / "whisper-operator")


def source_digest(*folders: Path) -> str:
    """What the Python files below these folders say, in twelve digits: what they make is kept under it."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def hf_folder(model: str) -> Path:
    """The checkpoint of `model` as a Hugging Face folder, made once and kept in the cache by its content."""
    made_by = source_digest(Path(__file__).parent)
    folder = cache_root() / "weights" / f"{model}-{PARCELS[model].sha256[:12]}-{made_by}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as making:
            made = Path(making) / "hf"
            write_hf_folder(model, made)
            if not folder.exists():  # somebody else may have been faster
                made.rename(folder)
    return folder


def write_hf_folder(model: str, folder: Path) -> None:
    """Write the checkpoint of `model` into `folder`: safetensors in float16 and the JSON files that belong to it."""
    parcel = PARCELS[model]
    tensors = read(parcel.model_bin())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(save(checkpoint(tensors), metadata={"format": "pt"}))
    tokenizer = whole(json.loads(parcel.file("tokenizer.json").read_text()))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, indent=2, ensure_ascii=False) + "\n")
    for name, content in configs(tensors, json.loads(parcel.file("config.json").read_text()), tokenizer).items():
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
