"""From what HTTP and the Hub's client report to failures with a reason, told apart by whether waiting helps."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]  # public, but not in __all__

from whisper_models.errors import (
    AuthFailed,
    DnsFailed,
    GatedRepo,
    HubError,
    HubUnreachable,
    NotFound,
    SourceFailure,
    Throttled,
    TlsFailed,
    TooSlow,
)

LONGEST_RETRY_AFTER = 60.0
"""Seconds; a hub that asks for more is told about, not waited for."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked for, as messages name it."""

    endpoint: str
    repo: str
    revision: str  # empty where it is a plain address
    file: str | None = None

    def __str__(self) -> str:
        what = f"{self.repo} at {self.revision}" if self.revision else self.repo
        return f"{self.file} of {what}" if self.file else what

    @property
    def advice(self) -> str:
        """What to check when it is not there."""
        return "check repository, revision and endpoint" if self.revision else "check the address"

    @property
    def doubt(self) -> str:
        """What to ask oneself when the answer makes no sense."""
        return "is it a Hugging Face compatible hub?" if self.revision else "is it the address of the file itself?"


class TryAgain(Exception):  # noqa: N818 - not a failure: a request to wait
    """A failure that may pass; it becomes `failure` when patience ends."""

    def __init__(self, failure: SourceFailure, after: float | None = None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.after = after


def refused(question: Question, status: int, headers: Mapping[str, str]) -> Exception:
    """What an answer of 4xx or 5xx means."""
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN | HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return _denied(question, status, headers)
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return NotFound(f"{question.endpoint} has no {question}: {question.advice}")
        case HTTPStatus.TOO_MANY_REQUESTS:
            sentence = f"{question.endpoint} throttles requests for {question} (429): a token raises the limit, or wait"
            return TryAgain(Throttled(sentence), _asked_to_wait(headers))
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            sentence = (
                f"{question.endpoint} answered {status} for {question}: it is in trouble; it is tried again later"
            )
            return TryAgain(HubError(sentence), _asked_to_wait(headers))
        case _:
            return HubError(f"{question.endpoint} answered {status} for {question}: {question.doubt}")


def unreachable(question: Question, error: Exception) -> Exception:
    """No answer, one that broke off, or one that only ever points elsewhere."""
    if isinstance(error, httpx2.TooManyRedirects):
        return odd_answer(question, "sends from one address to the next without end")
    by_proxy = isinstance(error, httpx2.ProxyError)
    if by_proxy and str(error).startswith(f"{HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:d}"):
        return _refused_by_proxy(question)
    cause = _innermost(error)
    # What cannot be read may be a proxy's address with a password in it, so no part of it is repeated.
    strange = isinstance(error, httpx2.InvalidURL)
    said = "an address cannot be read" if strange else str(cause) or type(cause).__name__
    said = f"the proxy before it answers {said}" if by_proxy else said
    if isinstance(cause, ssl.SSLError):
        return TryAgain(
            TlsFailed(
                f"{question.endpoint} does not present a certificate that is trusted here for {question} ({said}): "
                "name the file with its authority's certificate (SSL_CERT_FILE or --ca-bundle), or check the endpoint"
            )
        )
    if isinstance(cause, socket.gaierror):
        return TryAgain(
            DnsFailed(
                f"the name of {question.endpoint}, or of the proxy before it, cannot be resolved for {question} "
                f"({cause.strerror or said}): check how it is written, the cluster's DNS and the proxy"
            )
        )
    return TryAgain(
        HubUnreachable(
            f"{question.endpoint} gives no answer for {question} ({said}): check endpoint, network, DNS and proxy"
        )
    )


def too_slow(question: Question, slowest: int) -> TryAgain:
    """A transfer that would take for ever."""
    return TryAgain(
        TooSlow(
            f"{question.endpoint} all but stopped sending {question}, less than {slowest} bytes a second: "
            "check the network and the proxy; what has arrived is kept"
        )
    )


def from_client(question: Question, error: HfHubHTTPError) -> Exception:
    """What the Hub's client raises, by the answer behind it: the client calls every 401 'not found'."""
    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return _gated(question)
    if isinstance(error, RevisionNotFoundError):
        return NotFound(
            f"{question.repo} on {question.endpoint} has no revision {question.revision}: check the revision"
        )
    if status == HTTPStatus.NOT_FOUND and isinstance(error, RepositoryNotFoundError):
        return NotFound(f"{question.endpoint} has no repository {question.repo}: check its name and the endpoint")
    if isinstance(error, RemoteEntryNotFoundError):
        return NotFound(f"{question.endpoint} has no {question}: check repository, revision and endpoint")
    return refused(question, status, error.response.headers)


def odd_answer(question: Question, what: str) -> HubError:
    """An answer that is no answer to what was asked."""
    return HubError(f"{question.endpoint} {what} for {question}: {question.doubt}")


def _gated(question: Question) -> GatedRepo:
    return GatedRepo(
        f"{question.repo} is gated: accept its terms on {question.endpoint}, then give a token of the same account"
    )


def _denied(question: Question, status: int, headers: Mapping[str, str]) -> Exception:
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return _refused_by_proxy(question)
    if headers.get("X-Error-Code") == "GatedRepo":
        return _gated(question)
    return AuthFailed(
        f"{question.endpoint} refuses access to {question} ({status}): the token is missing, wrong or has no "
        "access, or there is no such repository; check the token and the repository's name"
    )


def _refused_by_proxy(question: Question) -> AuthFailed:
    return AuthFailed(
        f"the proxy before {question.endpoint} wants another user name and password than it got (407): write them as "
        "http://USER:PASSWORD@HOST:PORT into HTTPS_PROXY or HTTP_PROXY; Jobs in a cluster need a proxy that asks for "
        "none"
    )


def _asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds, from `Retry-After` in either of its forms, or from the `RateLimit` that the public Hub sends instead."""
    asked = headers.get("Retry-After", "")
    if asked.isdecimal():
        return float(asked)
    if (moment := _date(asked)) is not None:
        said_at = _date(headers.get("Date", "")) or datetime.now(UTC)  # the hub's clock need not be ours
        return max((moment - said_at).total_seconds(), 0.0)
    limit = parse_ratelimit_headers(headers)
    return float(limit.reset_in_seconds) if limit and limit.remaining == 0 else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _innermost(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
