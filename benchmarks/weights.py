"""The same weights in each contender's format, made once from the packages that carry them and kept in the cache.

A folder is named after the digest of the code that makes it, so changed code makes it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import whisper_models.convert

from benchmarks.kept import kept
from tests.support.weights import PARCELS, hf_folder, source_digest

Make = Callable[[str, Path], None]
"""(model, target): fills the folder `target`."""


def ctranslate2(model: str, target: Path) -> None:
    """For faster-whisper: as it is in the packages, the parts joined."""
    parcel = PARCELS[model]
    (target / "model.bin").write_bytes(parcel.model_bin())
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copyfile(parcel.file(name), target / name)


def onnx(model: str, target: Path) -> None:
    """For our cpu engine."""
    from whisper_models.artifact import Precision  # noqa: PLC0415 - heavy libraries load only where they are needed
    from whisper_models.convert.onnx import convert  # noqa: PLC0415 - the same

    convert(hf_folder(model), target, Precision.INT8)


def ggml(model: str, target: Path) -> None:
    """For whisper.cpp."""
    from whisper_models.artifact import Precision  # noqa: PLC0415 - heavy libraries load only where they are needed
    from whisper_models.convert.ggml import convert  # noqa: PLC0415 - the same

    convert(hf_folder(model), target / "q8_0.bin", Precision.Q8_0)


def openvino(model: str, target: Path) -> None:
    """For OpenVINO GenAI."""
    from whisper_models.artifact import Precision  # noqa: PLC0415 - heavy libraries load only where they are needed
    from whisper_models.convert.openvino import convert  # noqa: PLC0415 - the same

    convert(hf_folder(model), target, Precision.INT8)


def folder(make: Make, model: str) -> Path:
    """What `make` makes of a model, from the cache if it is there."""

    def fill(made: Path) -> None:
        with contextlib.redirect_stdout(sys.stderr):  # some libraries draw their progress there
            make(model, made)

    return kept(f"{model}-{make.__name__}-{PARCELS[model].sha256[:12]}-{_made_by()}", fill)


def _made_by() -> str:
    """Which converters, and which version of this file."""
    converters = source_digest(Path(next(iter(whisper_models.convert.__path__))))
    return hashlib.sha256(converters.encode() + Path(__file__).read_bytes()).hexdigest()[:12]
