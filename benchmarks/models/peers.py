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
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kept import kept
from benchmarks.models.processes import CommandFailedError, Take, run
from benchmarks.report import say
from tests.support.weights import cache_root

HERE = Path(__file__).parent
OPTIMUM, WHISPER_CPP = HERE / "optimum.lock", HERE / "whisper_cpp.lock"
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
    return WhisperCpp(kept(f"whisper-cpp-tools-{_digest(WHISPER_CPP)}", _build), python)


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


def _build(folder: Path) -> None:
    say("whisper.cpp's tools: built from source, some minutes, once")
    with tempfile.TemporaryDirectory() as scratch:
        sources = _sources(Path(scratch))
        build = Path(scratch) / "build"
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=OFF", "-DWHISPER_BUILD_TESTS=OFF"]
        whisper = sources["pywhispercpp"] / "whisper.cpp"
        for step in (["-S", str(whisper), "-B", str(build), *options], ["--build", str(build), "-t", QUANTIZE, "-j"]):
            _quietly([_cmake(), *step])
        shutil.copy(build / "bin" / QUANTIZE, folder)
        shutil.copy(whisper / "models" / SCRIPT, folder)
        (folder / FILTERS).parent.mkdir(parents=True)
        shutil.copy(sources["openai_whisper"] / FILTERS, folder / FILTERS)


def _sources(scratch: Path) -> dict[str, Path]:
    """Name of each package → its unpacked source."""
    pip = str(cache_root() / "tools" / "bin" / "pip")
    only = ["--no-deps", "--no-binary", "openai-whisper,pywhispercpp", "--require-hashes", "-r", str(WHISPER_CPP)]
    subprocess.run([pip, "download", "-q", *only, "-d", str(scratch)], check=True)
    for archive in list(scratch.glob("*.tar.gz")):
        with tarfile.open(archive) as content:
            content.extractall(scratch, filter="data")
    return {folder.name.rpartition("-")[0]: folder for folder in scratch.iterdir() if folder.is_dir()}


def _quietly(command: list[str]) -> None:
    """A compiler's warnings about others' code are for them; its errors are for us."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise CommandFailedError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-4000:]}")


def _cmake() -> str:
    program = shutil.which("cmake")
    if program is None:
        raise FileNotFoundError(
            "whisper.cpp's tools are built with cmake and a C++ compiler: apt-get install cmake g++"
        )
    return program


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
