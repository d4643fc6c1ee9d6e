"""The digests of a file while its bytes go by, computed beside: hashing takes a fast line as long as receiving does."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor

from whisper_models.download.selection import RemoteFile

_PIECE = 1 << 20
"""Bytes that are handed over at once; twice as many are held at most."""
_BESIDE = ThreadPoolExecutor(1, "hashing")


class Digests:
    """The sha256 of a file, and the digest that its hub publishes."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._at_work: Future[None] | None = None
        self.restart()

    def restart(self) -> None:
        """Forget all bytes."""
        self._wait()
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % self._file.size, usedforsecurity=False)
        self._gathered: list[bytes] = []
        self._size = 0

    def update(self, block: bytes) -> None:
        """The next bytes."""
        self._gathered.append(block)
        self._size += len(block)
        if self._size >= _PIECE:
            self._wait()
            self._at_work = _BESIDE.submit(self._hash, self._gathered)
            self._gathered, self._size = [], 0

    @property
    def sha256(self) -> str:
        """Of all bytes so far, in hex."""
        self._catch_up()
        return self._sha256.hexdigest()

    def as_published(self) -> bool:
        """The strongest digest that was published is the one that counts; without any there is none to agree with."""
        if self._file.sha256:
            return self.sha256 == self._file.sha256
        self._catch_up()
        return self._git.hexdigest() == self._file.git_sha1

    def _catch_up(self) -> None:
        self._wait()
        self._hash(self._gathered)
        self._gathered, self._size = [], 0

    def _wait(self) -> None:
        if self._at_work is not None:
            self._at_work.result()
            self._at_work = None

    def _hash(self, blocks: list[bytes]) -> None:
        for block in blocks:
            self._sha256.update(block)
            if not self._file.sha256:  # of large files it is known, and a second digest would cost them a tenth
                self._git.update(block)
