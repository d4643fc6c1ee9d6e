"""whisper.cpp's own programs, built from the source that pywhispercpp's package carries, for this machine's processor.

Kept under what they are built from and the processor's features: a program with AVX-512 does not run without it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from benchmarks.kept import kept
from benchmarks.report import say
from tests.support.weights import cache_root

LOCK = Path(__file__).parent / "models" / "whisper_cpp.lock"
_OPTIONS = ("-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=OFF", "-DWHISPER_BUILD_TESTS=OFF")


class BuildFailedError(RuntimeError):
    """A program could not be built; with the last that its tools said."""


def program(name: str) -> Path:
    """A program of whisper.cpp, such as `whisper-server`; built the first time, which takes some minutes."""

    def build(folder: Path) -> None:
        say(f"{name}: built from source, some minutes, once")
        with tempfile.TemporaryDirectory() as scratch:
            source = sources(Path(scratch), "pywhispercpp")["pywhispercpp"] / "whisper.cpp"
            made = Path(scratch) / "build"
            _quietly([_cmake(), "-S", str(source), "-B", str(made), *_OPTIONS])
            _quietly([_cmake(), "--build", str(made), "-t", name, "-j"])
            shutil.copy(made / "bin" / name, folder)

    return kept(f"{name}-{_made_for()}", build) / name


def sources(scratch: Path, *names: str) -> dict[str, Path]:
    """Each package of the lock file that is named → its unpacked source."""
    wanted = [line for line in LOCK.read_text().splitlines() if line.partition("==")[0].replace("-", "_") in names]
    asked = scratch / "requirements.lock"
    asked.write_text("\n".join(wanted))
    pip = str(cache_root() / "tools" / "bin" / "pip")
    only = ["--no-deps", "--no-binary", ",".join(names), "--require-hashes", "-r", str(asked)]
    subprocess.run([pip, "download", "-q", *only, "-d", str(scratch)], check=True)
    for archive in list(scratch.glob("*.tar.gz")):
        with tarfile.open(archive) as content:
            content.extractall(scratch, filter="data")
    return {folder.name.rpartition("-")[0]: folder for folder in scratch.iterdir() if folder.is_dir()}


def _made_for() -> str:
    processor = re.search(r"^(?:flags|Features)\s*:.*$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    made_from = LOCK.read_text() + Path(__file__).read_text() + (processor[0] if processor else "")
    return hashlib.sha256(made_from.encode()).hexdigest()[:12]


def _quietly(command: list[str]) -> None:
    """A compiler's warnings about others' code are for them; its errors are for us."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise BuildFailedError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-4000:]}")


def _cmake() -> str:
    found = shutil.which("cmake")
    if found is None:
        raise FileNotFoundError("whisper.cpp is built with cmake and a C++ compiler: apt-get install cmake g++")
    return found
