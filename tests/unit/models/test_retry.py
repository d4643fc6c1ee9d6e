"""How often and how long is waited, by a clock that is turned by hand."""

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from whisper_models.download.failures import Question, TryAgain, refused, unreachable
from whisper_models.download.retry import Attempts, Patience
from whisper_models.errors import AuthFailed, GatedRepo, HubError, HubUnreachable, ModelFailure, NotFound, Throttled

QUESTION = Question("http://hub", "o/r", "main", "config.json")


def _passing(error: Exception) -> TryAgain:
    found = unreachable(QUESTION, error)
    assert isinstance(found, TryAgain)
    return found


def _attempts(**patience: float) -> tuple[Attempts, list[float]]:
    waited: list[float] = []
    return Attempts(Patience(**patience), waited.append), waited  # type: ignore[arg-type] # attempts is an int, the rest floats


def test_waits_double_until_patience_ends_in_the_failure_itself() -> None:
    attempts, waited = _attempts(attempts=4, first_wait=1.0)
    down = _passing(ConnectionRefusedError("refused"))
    for _ in range(3):
        attempts.wait(down)
    with pytest.raises(HubUnreachable, match="refused"):
        attempts.wait(down)
    assert waited == [1.0, 2.0, 4.0]


def test_a_byte_of_progress_renews_patience() -> None:
    attempts, waited = _attempts(attempts=2, first_wait=1.0)
    down = _passing(ConnectionResetError())
    for _ in range(5):
        attempts.wait(down)
        attempts.moved()
    assert waited == [1.0] * 5


def test_the_hubs_own_wish_is_respected_when_it_is_modest() -> None:
    attempts, waited = _attempts(attempts=4, first_wait=1.0)
    wish = refused(QUESTION, 429, {"Retry-After": "7"})
    assert isinstance(wish, TryAgain)
    attempts.wait(wish)
    assert waited == [7.0]


def test_a_hub_that_asks_for_an_hour_is_told_about_instead() -> None:
    attempts, waited = _attempts(attempts=4)
    wish = refused(QUESTION, 429, {"Retry-After": "3600"})
    assert isinstance(wish, TryAgain)
    with pytest.raises(Throttled, match="429") as told:
        attempts.wait(wish)
    assert waited == []
    assert told.value.retry_after == 3600


SAID_AT = "Wed, 21 Oct 2015 07:28:00 GMT"
WISHES: list[tuple[str, dict[str, str], float | None]] = [
    ("seconds", {"Retry-After": "7"}, 7.0),
    ("a date, by the hub's own clock", {"Date": SAID_AT, "Retry-After": "Wed, 21 Oct 2015 07:29:30 GMT"}, 90.0),
    ("a date that is over", {"Date": SAID_AT, "Retry-After": "Wed, 21 Oct 2015 07:00:00 GMT"}, 0.0),
    ("the limit as the public Hub tells it", {"RateLimit": '"resolvers";r=0;t=55'}, 55.0),
    ("a limit that is not reached", {"RateLimit": '"resolvers";r=9;t=55'}, None),
    ("nonsense", {"Retry-After": "soon"}, None),
    ("nothing", {}, None),
]


@pytest.mark.parametrize(("headers", "after"), [case[1:] for case in WISHES], ids=[case[0] for case in WISHES])
@pytest.mark.parametrize("status", [429, 503])
def test_when_to_come_back_is_read_in_each_of_its_forms(
    status: int, headers: dict[str, str], after: float | None
) -> None:
    wish = refused(QUESTION, status, headers)
    assert isinstance(wish, TryAgain)
    assert wish.after == after


def test_a_date_without_the_hubs_clock_is_compared_with_ours() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    wish = refused(QUESTION, 429, {"Retry-After": in_a_minute})
    assert isinstance(wish, TryAgain)
    assert 0 < (wish.after or 0) <= 60


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_repository_is_told_apart_from_a_wrong_token(status: int) -> None:
    assert type(refused(QUESTION, status, {"X-Error-Code": "GatedRepo"})) is GatedRepo
    assert type(refused(QUESTION, status, {"X-Error-Code": "RepoNotFound"})) is AuthFailed


def test_a_certificate_that_is_not_trusted_is_told_apart_from_silence() -> None:
    error = ConnectionError("connect failed")
    error.__context__ = ssl.SSLCertVerificationError("self-signed certificate")
    assert "certificate" in str(_passing(error))
    assert "certificate" not in str(_passing(ConnectionError("refused")))


def test_going_round_in_circles_is_not_silence() -> None:
    assert type(unreachable(QUESTION, httpx2.TooManyRedirects("21"))) is HubError


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthFailed),
        (403, AuthFailed),
        (404, NotFound),
        (410, NotFound),
        (418, HubError),
        (429, Throttled),
        (500, HubError),
        (503, HubError),
    ],
)
def test_every_refusal_has_a_name_and_says_what_was_asked(status: int, kind: type[ModelFailure]) -> None:
    answer = refused(QUESTION, status, {})
    failure = answer.failure if isinstance(answer, TryAgain) else answer
    assert type(failure) is kind
    assert "config.json of o/r at main" in str(failure)
    assert "http://hub" in str(failure)
