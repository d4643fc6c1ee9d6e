"""Takes files out of a tar archive: only those that are wanted, only plain ones, each under the name that it gets here.

A member's own path is never used on disk, so that none can lead out of the folder.
"""

from __future__ import annotations

import errno
import lzma
import tarfile
import zlib
from itertools import islice
from pathlib import Path, PurePosixPath

from whisper_models.artifact import FileEntry
from whisper_models.download.copies import copy
from whisper_models.download.offers import Errand, check_index
from whisper_models.download.selection import RemoteFile
from whisper_models.errors import UnsupportedCheckpoint
from whisper_models.progress import Stage
from whisper_models.store.files import require_space

MOST_MEMBERS = 10_000
LANDMARKS = ("config.json", "ggml-")
"""What a model's folder holds at its top, so that an archive may have it below a folder of its own."""


def is_archive(path: Path) -> bool:
    """Whether it is a tar archive, packed or not."""
    try:
        return tarfile.is_tarfile(path)
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError):
        return False


def unpack(archive: Path, errand: Errand, name: str) -> list[FileEntry]:
    """The wanted files of an archive, put into the errand's folder.

    Raises:
        UnsupportedCheckpoint: it is damaged, or holds something else.
    """
    try:
        with tarfile.open(archive) as tar:
            members = _below_landmark(_plain_members(tar))
            files = {path: RemoteFile(path, member.size) for path, member in members.items()}
            chosen = errand.choose(name, files)
            total = sum(file.size for file in chosen)
            require_space(errand.folder, total)
            errand.progress.begin(Stage.VERIFYING, total)
            return [_extract(tar, members[file.path], file, errand, set(files)) for file in chosen]
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # the volume's, not the archive's: bad gzip, a seek beyond all ends
            raise
        raise _damaged(name, error) from error
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> UnsupportedCheckpoint:
    return UnsupportedCheckpoint(f"{name} is not a whole tar archive ({error}): make it again")


def _plain_members(tar: tarfile.TarFile) -> dict[PurePosixPath, tarfile.TarInfo]:
    """The ordinary files with ordinary names; links, devices and names that lead elsewhere are none."""
    found: dict[PurePosixPath, tarfile.TarInfo] = {}
    for member in islice(tar, MOST_MEMBERS):
        path = PurePosixPath(member.name)
        if member.isreg() and not member.issparse() and not path.is_absolute() and ".." not in path.parts:
            found[path] = member
    return found


def _below_landmark(members: dict[PurePosixPath, tarfile.TarInfo]) -> dict[str, tarfile.TarInfo]:
    marked = [path for path in members if path.name.startswith(LANDMARKS)]
    top = min(marked, key=lambda path: (len(path.parts), path)).parent if marked else PurePosixPath()
    return {str(path.relative_to(top)): member for path, member in members.items() if path.is_relative_to(top)}


def _extract(
    tar: tarfile.TarFile, member: tarfile.TarInfo, file: RemoteFile, errand: Errand, present: set[str]
) -> FileEntry:
    read = tar.extractfile(member)
    if read is None:
        raise UnsupportedCheckpoint(f"{file.path} in the archive is no plain file: make it again")
    with read:
        entry = copy(read, file.size, errand.folder, file.name, errand.progress)  # type: ignore[arg-type] # a reader
    check_index(errand.folder, file.name, present)
    return entry
