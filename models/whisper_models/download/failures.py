"""From what HTTP and the Hub's client report to failures with a reason, told apart by whether waiting helps."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from http import HTTPStatus

from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from whisper_models.errors import AuthFailed, HubError, HubUnreachable, NotFound, Throttled

LONGEST_RETRY_AFTER = 60.0
"""Seconds; a hub that asks for more is told about, not waited for."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked for, as messages name it."""

    endpoint: str
    repo: str
    revision: str
    file: str | None = None

    def __str__(self) -> str:
        what = f"{self.repo} at {self.revision}"
        return f"{self.file} of {what}" if self.file else what


class TryAgain(Exception):  # noqa: N818 - not a failure: a request to wait
    """A failure that may pass; it becomes `failure` when patience ends."""

    def __init__(self, failure: HubUnreachable | HubError | Throttled, after: float | None = None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.after = after


def refused(question: Question, status: int, retry_after: str | None = None) -> Exception:
    """What an answer of 4xx or 5xx means."""
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return AuthFailed(
                f"{question.endpoint} refuses access to {question} ({status}): the token is missing, wrong or has no "
                "access, or there is no such repository; check the token and the repository's name"
            )
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return NotFound(f"{question.endpoint} has no {question}: check repository, revision and endpoint")
        case HTTPStatus.TOO_MANY_REQUESTS:
            sentence = f"{question.endpoint} throttles requests for {question} (429): a token raises the limit, or wait"
            return TryAgain(Throttled(sentence), _seconds(retry_after))
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            sentence = (
                f"{question.endpoint} answered {status} for {question}: it is in trouble; it is tried again later"
            )
            return TryAgain(HubError(sentence), _seconds(retry_after))
        case _:
            return HubError(
                f"{question.endpoint} answered {status} for {question}: is it a Hugging Face compatible hub?"
            )


def unreachable(question: Question, error: Exception) -> TryAgain:
    """No answer, or one that broke off."""
    cause = _innermost(error)
    what = (
        "does not present a certificate that is trusted here" if isinstance(cause, ssl.SSLError) else "gives no answer"
    )
    said = str(cause) or type(cause).__name__
    return TryAgain(
        HubUnreachable(f"{question.endpoint} {what} for {question} ({said}): check endpoint, network, DNS and proxy")
    )


def from_client(question: Question, error: HfHubHTTPError) -> Exception:
    """What the Hub's client raises, by the answer behind it: the client calls every 401 'not found'."""
    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return AuthFailed(
            f"{question.repo} is gated: accept its terms on {question.endpoint}, then give a token that may read it"
        )
    if isinstance(error, RevisionNotFoundError):
        return NotFound(
            f"{question.repo} on {question.endpoint} has no revision {question.revision}: check the revision"
        )
    if status == HTTPStatus.NOT_FOUND and isinstance(error, RepositoryNotFoundError):
        return NotFound(f"{question.endpoint} has no repository {question.repo}: check its name and the endpoint")
    if isinstance(error, RemoteEntryNotFoundError):
        return NotFound(f"{question.endpoint} has no {question}: check repository, revision and endpoint")
    return refused(question, status, error.response.headers.get("Retry-After"))


def odd_answer(question: Question, what: str) -> HubError:
    """An answer that is no answer to what was asked."""
    return HubError(f"{question.endpoint} {what} for {question}: is it a Hugging Face compatible hub?")


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdecimal() else None


def _innermost(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
