"""The tools that ours are compared with: optimum in an environment of its own, and whisper.cpp's script and program.

Both come from packages with known digests, and are kept in the cache under the digest of what names them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kept import kept
from benchmarks.models.processes import Take, run
from benchmarks.report import say
from benchmarks.whisper_cpp import LOCK, program, sources
from tests.support.weights import cache_root

HERE = Path(__file__).parent
OPTIMUM = HERE / "optimum.lock"
TASK = "automatic-speech-recognition-with-past"
QUANTIZE, SCRIPT, FILTERS = "whisper-quantize", "convert-h5-to-ggml.py", "whisper/assets/mel_filters.npz"


@dataclass(frozen=True, slots=True)
class Optimum:
    """An environment with optimum-intel, and so with torch and transformers."""

    environment: Path

    @property
    def python(self) -> str:
        return str(self.environment / "bin" / "python")

    def export(self, source: Path, target: Path, precision: str) -> Take:
        """`optimum-cli export openvino`, as its documentation says."""
        program = str(self.environment / "bin" / "optimum-cli")
        options = ["--task", TASK, "--weight-format", precision]
        return run([program, "export", "openvino", "--model", str(source), *options, str(target)])


@dataclass(frozen=True, slots=True)
class WhisperCpp:
    """Its script for checkpoints, which needs torch and transformers, and its program that quantises."""

    folder: Path
    python: str

    def convert(self, source: Path, target: Path) -> Take:
        """`target/ggml-model.bin` in f16."""
        with tempfile.TemporaryDirectory() as aside:
            checkpoint = with_vocabulary(source, Path(aside))
            return run([self.python, str(self.folder / SCRIPT), str(checkpoint), str(self.folder), str(target)])

    def quantise(self, half: Path, target: Path, precision: str) -> Take:
        """From f16 to one of its other types."""
        return run([str(self.folder / QUANTIZE), str(half), str(target), precision])


def optimum() -> Optimum:
    """As locked."""
    return Optimum(kept(f"optimum-{_digest(OPTIMUM)}", _install))


def whisper_cpp(python: str) -> WhisperCpp:
    """Fetched and built once; `python` has torch and transformers."""
    return WhisperCpp(kept(f"whisper-cpp-tools-{_digest(LOCK)}", _assemble), python)


def with_vocabulary(source: Path, folder: Path) -> Path:
    """The checkpoint with the two files that whisper.cpp's script reads and tokenizer.json says as well."""
    for file in source.iterdir():
        (folder / file.name).symlink_to(file.resolve())
    vocabulary = json.loads((source / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "added_tokens.json").write_text("{}")
    return folder


def _install(folder: Path) -> None:
    say("optimum's environment: 69 packages, 5.7 GB, once")
    uv, python = str(cache_root() / "tools" / "bin" / "uv"), str(folder / "bin" / "python")
    settings = os.environ | {"UV_CACHE_DIR": str(cache_root() / "uv")}
    for step in (
        # relocatable, since it is not made under the name that it is kept by
        ["venv", "-q", "--relocatable", "--allow-existing", "--python", sys.executable, str(folder)],
        ["pip", "sync", "-q", "--python", python, "--require-hashes", str(OPTIMUM)],
    ):
        subprocess.run([uv, *step], check=True, env=settings)


def _assemble(folder: Path) -> None:
    shutil.copy(program(QUANTIZE), folder)
    with tempfile.TemporaryDirectory() as scratch:
        found = sources(Path(scratch), "pywhispercpp", "openai_whisper")
        shutil.copy(found["pywhispercpp"] / "whisper.cpp" / "models" / SCRIPT, folder)
        (folder / FILTERS).parent.mkdir(parents=True)
        shutil.copy(found["openai_whisper"] / FILTERS, folder / FILTERS)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
