"""A model at a plain address, known by its sha256: a tar archive of its folder, or the one file of a GGML model."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from whisper_models.artifact import FileEntry, Format, Manifest, Source, Variant
from whisper_models.download import web
from whisper_models.download.addresses import require_no_password
from whisper_models.download.archive import is_archive, unpack
from whisper_models.download.failures import Question, TryAgain, odd_answer, refused, unreachable
from whisper_models.download.offers import Errand, described
from whisper_models.download.retry import Attempts, Patience
from whisper_models.download.selection import RemoteFile
from whisper_models.download.transfer import Transfer
from whisper_models.errors import UnsupportedCheckpoint, UnusableSource
from whisper_models.store.files import require_space
from whisper_models.store.layout import model_file

ARCHIVE = ".archive"
"""What it is called until it is unpacked; nothing that is published is called so."""
SHA256 = re.compile(r"[0-9a-f]{64}")
TOTAL = re.compile(r"bytes [\d*]*-?[\d*]*/(\d{1,15})")


@dataclass(frozen=True, slots=True)
class AddressSource:
    """Where the file is and what it must be; what follows a '?' may be a signature and is in no message."""

    url: str = field(repr=False)
    sha256: str
    token: str | None = field(default=None, repr=False)
    authorities: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            UnusableSource: it is no address of the web, or no sha256.
            AuthFailed: the address holds a password.
        """
        parts = urlsplit(self.url)
        require_no_password(parts.netloc)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnusableSource("the address is not one of http:// or https:// with a host: write it in full")
        if not SHA256.fullmatch(self.sha256):
            raise UnusableSource(
                f"{self.sha256!r} is not a sha256: give the 64 hex digits that `sha256sum FILE` prints"
            )

    @property
    def known(self) -> Source:
        """What has this digest is the same, wherever it lies."""
        parts = urlsplit(self.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return Source(repo=f"{origin}{parts.path}", revision=self.sha256, endpoint=origin)

    def offer(self, variant: Variant, patience: Patience) -> AddressOffer:  # noqa: ARG002 - the digest says it all
        """What is there is looked at when it is fetched."""
        return AddressOffer(self)


@dataclass(frozen=True, slots=True)
class AddressOffer:
    """The file at the address."""

    source: AddressSource

    @property
    def published(self) -> Source:
        """By its digest."""
        return self.source.known

    def question(self, file: str | None = None) -> Question:  # noqa: ARG002 - there is one file
        """What messages call a request."""
        return Question(self.published.endpoint, urlsplit(self.source.url).path or "/", "")

    def url(self, file: RemoteFile) -> str:  # noqa: ARG002 - there is one file
        """Where the bytes are."""
        return self.source.url

    def fill(self, errand: Errand) -> Manifest:
        """Fetch it, continuing what is there, and take out what is wanted."""
        with web.client(errand.patience, self.source.authorities, self.source.token) as client:
            size = self._size(client, errand.patience)
            transfer = Transfer(self, errand.folder, client, errand.progress, errand.patience)
            whole = RemoteFile(ARCHIVE, size, self.source.sha256)
            there = transfer.present(whole)
            require_space(errand.folder, size - there)
            transfer.begin(size, there)
            entry = transfer.fetch(whole)
        return described(errand, self._taken(errand, entry), self.published)

    def _taken(self, errand: Errand, entry: FileEntry) -> list[FileEntry]:
        path, name = errand.folder / ARCHIVE, self.published.repo
        if is_archive(path):
            return unpack(path, errand, name)
        if errand.variant.format is not Format.GGML:
            raise UnsupportedCheckpoint(
                f"{name} is not a tar archive, which it must be for {errand.variant}: pack the model's folder, with "
                "config.json at its top"
            )
        final = model_file(errand.variant)
        path.rename(errand.folder / final)
        return [entry.model_copy(update={"path": final})]

    def _size(self, client: httpx2.Client, patience: Patience) -> int:
        attempts = Attempts(patience)
        while True:
            try:
                return self._ask_size(client)
            except TryAgain as reason:
                attempts.wait(reason)

    def _ask_size(self, client: httpx2.Client) -> int:
        """By asking for the first byte: an address that is signed for GET answers no HEAD."""
        question = self.question()
        try:
            with client.stream("GET", self.source.url, headers={"Range": "bytes=0-0"}) as answer:
                return _size_said(question, answer)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise unreachable(question, error) from error


def _size_said(question: Question, answer: httpx2.Response) -> int:
    if answer.status_code not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise refused(question, answer.status_code, answer.headers)
    if answer.status_code == HTTPStatus.OK:
        size = web.header_number(answer.headers, "Content-Length")
    else:
        total = TOTAL.fullmatch(answer.headers.get("Content-Range", ""))
        size = int(total[1]) if total else None
    if size is None:
        raise odd_answer(question, "does not say how many bytes it has")
    return size
