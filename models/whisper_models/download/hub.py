"""Asks a hub what a repository holds at a revision; the Hub's own client does the asking."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.hf_api import ModelInfo, RepoSibling

from whisper_models.artifact import FileEntry, Manifest, Source, Variant
from whisper_models.catalogue import AuxiliaryEntry, CatalogueEntry, PublishedVariant
from whisper_models.download import web
from whisper_models.download.addresses import require_no_password
from whisper_models.download.failures import Question, TryAgain, from_client, odd_answer, unreachable
from whisper_models.download.offers import Errand, check_index, described
from whisper_models.download.retry import Attempts, Patience
from whisper_models.download.selection import RemoteFile
from whisper_models.download.transfer import Transfer
from whisper_models.errors import ChecksumMismatch, NotFound
from whisper_models.store.files import require_space

# Or each run asks the public hub which program its caller is, also when the models come from another one.
constants.HF_HUB_DISABLE_TELEMETRY = True

COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class HubSource:
    """Where to look, and with which token; the token is in no message and no log."""

    repo: str
    revision: str
    endpoint: str = field(default_factory=lambda: constants.ENDPOINT)
    token: str | None = field(default=None, repr=False)
    authorities: Path | None = None
    """A file of certificates to trust besides the system's."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """sha256 of files as they are known from elsewhere; the hub must publish the same."""

    @classmethod
    def catalogued(
        cls,
        entry: CatalogueEntry | PublishedVariant | AuxiliaryEntry,
        endpoint: str | None = None,
        token: str | None = None,
        authorities: Path | None = None,
    ) -> HubSource:
        """Where the catalogue says that something is published.

        Its digests are those of the public hub. Whoever names another one has decided to trust that.
        """
        public = endpoint is None and "HF_ENDPOINT" not in os.environ
        digests = entry.digests if public else {}
        return cls(entry.repo, entry.revision, endpoint or constants.ENDPOINT, token, authorities, digests)

    @property
    def pinned(self) -> bool:
        """The revision is a commit, so what it means cannot change."""
        return COMMIT.fullmatch(self.revision) is not None

    @property
    def known(self) -> Source | None:
        """A commit is what it is, whatever the hub says."""
        return self._published(self.revision) if self.pinned else None

    def offer(self, variant: Variant, patience: Patience) -> Checkpoint:  # noqa: ARG002 - the same for every variant
        """Ask the hub."""
        return resolve(self, patience)

    def question(self, file: str | None = None) -> Question:
        """What messages call a request to this source."""
        return Question(self.endpoint, self.repo, self.revision, file)

    def _published(self, commit: str) -> Source:
        return Source(repo=self.repo, revision=commit, endpoint=self.endpoint.rstrip("/"))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the hub published: one commit and its files."""

    source: HubSource
    commit: str
    files: Mapping[str, RemoteFile]

    @property
    def published(self) -> Source:
        """The commit of the repository."""
        return Source(repo=self.source.repo, revision=self.commit, endpoint=self.source.endpoint.rstrip("/"))

    def question(self, file: str | None = None) -> Question:
        """What messages call a request."""
        return self.source.question(file)

    def url(self, file: RemoteFile) -> str:
        """Where the bytes are."""
        return hf_hub_url(self.source.repo, file.path, revision=self.commit, endpoint=self.source.endpoint)

    def fill(self, errand: Errand) -> Manifest:
        """Fetch the chosen files, continuing what is there."""
        files = errand.choose(self.source.repo, self.files)
        with web.client(errand.patience, self.source.authorities, self.source.token) as client:
            transfer = Transfer(self, errand.folder, client, errand.progress, errand.patience)
            errand.reuse({file.name: file.size for file in files if not transfer.present(file)})
            total, there = sum(file.size for file in files), sum(transfer.present(file) for file in files)
            require_space(errand.folder, total - there)
            transfer.begin(total, there)
            return described(errand, [self._fetch(transfer, file, errand.folder) for file in files], self.published)

    def _fetch(self, transfer: Transfer, file: RemoteFile, folder: Path) -> FileEntry:
        entry = transfer.fetch(file)
        check_index(folder, file.name, set(self.files))  # it comes before the shards, so that a refusal costs nothing
        return entry


def resolve(source: HubSource, patience: Patience) -> Checkpoint:
    """The commit behind the revision and the files in it.

    Raises:
        SourceFailure: HubUnreachable, DnsFailed, TlsFailed, HubError, Throttled, AuthFailed, GatedRepo or NotFound.
        ChecksumMismatch: the hub publishes another digest than the one that is known.
    """
    require_no_password(source.endpoint)
    web.hub_client.trust(source.authorities)
    attempts = Attempts(patience)
    while True:
        try:
            info = _ask(source, patience)
            break
        except TryAgain as reason:
            attempts.wait(reason)
    if not info.sha or info.siblings is None:
        raise odd_answer(source.question(), "names no commit or no files")
    return Checkpoint(source, info.sha, {file.rfilename: _remote_file(source, file) for file in info.siblings})


def _ask(source: HubSource, patience: Patience) -> ModelInfo:
    api = HfApi(endpoint=source.endpoint, token=source.token or False, library_name=web.AGENT)
    question = source.question()
    # Declared as a number, and handed on as it is: a mirror may have to ask the hub behind it first.
    timeout: Any = web.timeout(patience)
    try:
        return api.model_info(source.repo, revision=source.revision, files_metadata=True, timeout=timeout)
    except HfHubHTTPError as error:
        raise from_client(question, error) from error
    except HFValidationError as error:
        raise NotFound(f"{source.repo!r} cannot be a repository ({error}): it is called organisation/name") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OfflineModeIsEnabled) as error:
        raise unreachable(question, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise odd_answer(question, "gives an answer that cannot be read") from error


def _remote_file(source: HubSource, file: RepoSibling) -> RemoteFile:
    if file.size is None:
        raise odd_answer(source.question(file.rfilename), "publishes no size")
    if file.lfs is None and file.blob_id is None:  # nothing could ever tell that it arrived as it should
        raise odd_answer(source.question(file.rfilename), "publishes no digest")
    known, said = source.digests.get(file.rfilename), file.lfs.sha256 if file.lfs else None
    if known and said and known != said:
        raise ChecksumMismatch(
            f"{source.endpoint} publishes another sha256 for {source.question(file.rfilename)} than the catalogue has "
            "for that commit: somebody has changed it; nothing was fetched"
        )
    return RemoteFile(file.rfilename, file.size, known or said, file.blob_id)
