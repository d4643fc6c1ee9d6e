"""What goes into an image: found, hashed for its tag, and copied into a build context of just that.

Since the context holds exactly what was hashed, a tag cannot be wrong by forgetting an input.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from scripts.image_build.definitions import LOCK, Image

RECIPE = "1"  # raised when the way of building changes while its inputs do not
TAG_LENGTH = 12
LEFT_OUT = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "dist", "build"}
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?==", re.MULTILINE)


def inputs(repository: Path, image: Image) -> dict[str, bytes]:
    """Each file of the image by its path in the build context; raises FileNotFoundError naming a missing source."""
    found = {image.containerfile: (repository / image.containerfile).read_bytes()}
    lock = (repository / LOCK).read_text(encoding="utf-8")
    found[LOCK] = (lock if image.locked is None else locked_entries(lock, image.locked)).encode()
    for path in _sources(repository, image.sources):
        found[path.relative_to(repository).as_posix()] = path.read_bytes()
    return found


def locked_entries(lock: str, names: tuple[str, ...]) -> str:
    """The lock's text about these packages alone; raises ValueError when it has none about one of them."""
    starts = [*_REQUIREMENT.finditer(lock)]
    ends = [match.start() for match in starts[1:]] + [len(lock)]
    # one package may have several entries, each for other platforms
    entries = [(match["name"], lock[match.start() : end]) for match, end in zip(starts, ends, strict=True)]
    if missing := set(names) - {name for name, _ in entries}:
        raise ValueError(f"{LOCK} does not have {', '.join(sorted(missing))}: run `make lock`")
    return "".join(text for name, text in entries if name in names)


def tag(files: dict[str, bytes], base_identity: str) -> str:
    """The image's tag: the same for the same files on the same base, whatever the machine and the order."""
    digest = hashlib.sha256(f"{RECIPE}\0{base_identity}\0".encode())
    for path, content in sorted(files.items()):
        digest.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\0".encode())
    return digest.hexdigest()[:TAG_LENGTH]


def write_context(files: dict[str, bytes], folder: Path) -> None:
    """Lay the files out for a build, in place of whatever an earlier one left."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _sources(repository: Path, sources: tuple[str, ...]) -> Iterator[Path]:
    for source in sources:
        matching = sorted(repository.glob(source))
        if not matching:
            raise FileNotFoundError(f"{repository / source} is named as a source of an image and does not exist")
        for path in matching:
            yield from _files(path)


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    for entry in sorted(source.iterdir()):
        if (
            entry.name in LEFT_OUT
            or entry.name.startswith(".")
            or entry.suffix in {".pyc", ".so"}
            or entry.name.endswith(".egg-info")
        ):
            continue
        yield from _files(entry)
