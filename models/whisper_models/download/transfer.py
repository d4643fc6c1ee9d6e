"""Fetches one published file so that it is whole or not there: resumed by ranges, checked, then named.

The Hub's own client neither resumes nor verifies, which is why the bytes are fetched here.
"""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Protocol

import httpx2

from whisper_models.artifact import FileEntry
from whisper_models.download.digests import Digests
from whisper_models.download.failures import Question, TryAgain, odd_answer, refused, too_slow, unreachable
from whisper_models.download.retry import Attempts, Patience
from whisper_models.download.selection import RemoteFile
from whisper_models.errors import ChecksumMismatch, HubUnreachable, TooSlow
from whisper_models.progress import Progress, Stage
from whisper_models.store.files import BLOCK, begin_to_write

_WRITTEN_AT_ONCE = 16 << 20
"""Bytes for the disk to begin with, or publishing would wait for all of them."""
RANGE_START = re.compile(r"bytes\s+(\d+)-")


class Addressed(Protocol):
    """Knows where the bytes of its files are, and how messages call them."""

    def question(self, file: str | None = None) -> Question:
        """What messages call a request."""

    def url(self, file: RemoteFile) -> str:
        """Where the bytes are."""


class Transfer:
    """Fetches files of one source into a folder."""

    def __init__(
        self, source: Addressed, folder: Path, client: httpx2.Client, progress: Progress, patience: Patience
    ) -> None:
        self._source = source
        self._folder = folder
        self._client = client
        self._progress = progress
        self._patience = patience

    def begin(self, total: int, there: int) -> None:
        """Say how much is to come, and how much of it is there already."""
        self._progress.begin(Stage.DOWNLOADING, total, there)

    def present(self, file: RemoteFile) -> int:
        """Bytes of it that an earlier attempt left."""
        for path in (self._folder / file.name, self._part(file)):
            if path.is_file():
                return min(path.stat().st_size, file.size)
        return 0

    def fetch(self, file: RemoteFile) -> FileEntry:
        """The file, verified and under its name.

        Raises:
            ChecksumMismatch: the bytes are not the published ones, also when fetched anew.
            SourceFailure: whichever of them it is.
        """
        self._progress.file(file.name)
        target, part = self._folder / file.name, self._part(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file():  # verified once; verified again, since a disk may have been full or a node lost
            target.rename(part)
        sha256 = self._whole(file, part)
        part.rename(target)  # not synced: until it is published, which syncs it, whoever continues reads it again
        return FileEntry(path=file.name, size=file.size, sha256=sha256)

    def _whole(self, file: RemoteFile, part: Path) -> str:
        """Bring `part` to its full size and the published content; its sha256."""
        question = self._source.question(file.path)
        attempts, furthest, anew = Attempts(self._patience), _size(part), _size(part) == 0
        while True:
            try:
                digests = self._continue(file, part)
            except TryAgain as reason:
                if _size(part) - furthest > self._trickle(reason):
                    attempts.moved()
                furthest = max(furthest, _size(part))
                attempts.wait(reason)
                continue
            if digests.as_published():
                return digests.sha256
            part.unlink()
            self._progress.advance(-file.size)
            if anew:  # every byte came from the hub in this run: it would be the same again
                raise ChecksumMismatch(
                    f"{question} arrived with another digest than was published: something on the way changes it, "
                    f"or what {question.endpoint} has is damaged; nothing was kept"
                )
            anew = True

    def _continue(self, file: RemoteFile, part: Path) -> Digests:
        """One attempt: what is there already is hashed, the rest is asked for."""
        digests = Digests(file)
        with part.open("a+b") as out:
            offset = _hash_existing(out, digests, file.size)
            if offset < file.size:
                self._stream(file, out, offset, digests)
            if out.tell() != file.size:
                question = self._source.question(file.path)
                raise TryAgain(HubUnreachable(f"{question.endpoint} broke off {question}; what has arrived is kept"))
        return digests

    def _trickle(self, reason: TryAgain) -> float:
        """How many new bytes still count as none: a line that brings little, again and again, must come to an end."""
        return 2 * self._patience.silence * self._patience.slowest if isinstance(reason.failure, TooSlow) else 0

    def _stream(self, file: RemoteFile, out: BinaryIO, offset: int, digests: Digests) -> None:
        question = self._source.question(file.path)
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        try:
            with self._client.stream("GET", self._source.url(file), headers=headers) as answer:
                if offset and not _continues(answer, offset):
                    out.seek(0)
                    out.truncate()
                    digests.restart()
                    self._progress.advance(-offset)
                _require_plain_bytes(question, answer, out.tell())
                self._receive(answer, file, out, digests)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise unreachable(question, error) from error

    def _receive(self, answer: httpx2.Response, file: RemoteFile, out: BinaryIO, digests: Digests) -> None:
        pulse, question, written = _Pulse(self._patience), self._source.question(file.path), out.tell()
        try:
            for block in answer.iter_raw():  # as they come: whatever waits to fill a block is lost when we are killed
                if out.tell() + len(block) > file.size:
                    raise odd_answer(question, "sends more bytes than it publishes")
                out.write(block)
                digests.update(block)
                self._progress.advance(len(block))
                if out.tell() - written >= _WRITTEN_AT_ONCE:
                    written = begin_to_write(out, written)
                if not pulse.beats(len(block)):
                    raise too_slow(question, self._patience.slowest)
        except httpx2.ReadTimeout as error:
            raise too_slow(question, self._patience.slowest) from error

    def _part(self, file: RemoteFile) -> Path:
        return self._folder / f"{file.name}.part"


class _Pulse:
    """Notices a transfer that still moves, but would take for ever."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since = time.monotonic()
        self._count = 0

    def beats(self, count: int) -> bool:
        self._count += count
        elapsed = time.monotonic() - self._since
        if elapsed < self._patience.silence:
            return True
        enough = self._count >= elapsed * self._patience.slowest
        self._since, self._count = time.monotonic(), 0
        return enough


def _continues(answer: httpx2.Response, offset: int) -> bool:
    """Whether these bytes belong where we stopped, or what is there must be given up: for the whole, or for nothing."""
    match answer.status_code:
        case HTTPStatus.PARTIAL_CONTENT:
            return _begins_at(answer, offset)
        case HTTPStatus.OK | HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return False
        case _:
            return True  # a refusal, which says nothing about the bytes


def _require_plain_bytes(question: Question, answer: httpx2.Response, at: int) -> None:
    """Refuse whatever is not the file's own bytes from `at` on."""
    if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise TryAgain(odd_answer(question, "has fewer bytes than it publishes"))
    if answer.status_code not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise refused(question, answer.status_code, answer.headers)
    if answer.status_code == HTTPStatus.PARTIAL_CONTENT and not _begins_at(answer, at):
        raise TryAgain(odd_answer(question, "answers with another part than it was asked for"))
    packed = answer.headers.get("Content-Encoding", "identity")
    if packed != "identity":
        raise odd_answer(question, f"packs the bytes ({packed}) although it was asked not to")


def _begins_at(answer: httpx2.Response, offset: int) -> bool:
    """A hub that does not say where its part begins is believed: the digest tells in the end."""
    said = RANGE_START.match(answer.headers.get("Content-Range", ""))
    return said is None or int(said[1]) == offset


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _hash_existing(out: BinaryIO, digests: Digests, size: int) -> int:
    """Hash what an earlier attempt left, and stand at its end; more than the file has is thrown away."""
    out.seek(0, 2)
    if out.tell() > size:
        out.truncate(0)
    out.seek(0)
    while block := out.read(BLOCK):
        digests.update(block)
    return out.tell()
