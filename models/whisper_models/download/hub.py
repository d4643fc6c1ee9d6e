"""Asks a hub what a repository holds at a revision; the Hub's own client does the asking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.hf_api import ModelInfo, RepoSibling

from whisper_models.download.addresses import require_no_password
from whisper_models.download.failures import Question, TryAgain, from_client, odd_answer, unreachable
from whisper_models.download.retry import Attempts, Patience
from whisper_models.download.selection import RemoteFile
from whisper_models.errors import NotFound

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

    @property
    def pinned(self) -> bool:
        """The revision is a commit, so what it means cannot change."""
        return COMMIT.fullmatch(self.revision) is not None

    def question(self, file: str | None = None) -> Question:
        """What messages call a request to this source."""
        return Question(self.endpoint, self.repo, self.revision, file)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the hub published: one commit and its files."""

    source: HubSource
    commit: str
    files: Mapping[str, RemoteFile]


def resolve(source: HubSource, patience: Patience) -> Checkpoint:
    """The commit behind the revision and the files in it.

    Raises:
        HubUnreachable, HubError, Throttled, AuthFailed, NotFound: as they are called.
    """
    require_no_password(source.endpoint)
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
    api = HfApi(endpoint=source.endpoint, token=source.token or False, library_name="whisper-models")
    question = source.question()
    # Declared as a number, and handed on as it is: a mirror may have to ask the hub behind it first.
    timeout: Any = httpx2.Timeout(patience.silence, connect=patience.connect)
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
    return RemoteFile(file.rfilename, file.size, file.lfs.sha256 if file.lfs else None, file.blob_id)
