"""How often and how long is waited, by a clock that is turned by hand."""

import ssl

import pytest
from whisper_models.download.failures import Question, TryAgain, refused, unreachable
from whisper_models.download.retry import Attempts, Patience
from whisper_models.errors import AuthFailed, HubError, HubUnreachable, ModelFailure, NotFound, Throttled

QUESTION = Question("http://hub", "o/r", "main", "config.json")


def _attempts(**patience: float) -> tuple[Attempts, list[float]]:
    waited: list[float] = []
    return Attempts(Patience(**patience), waited.append), waited  # type: ignore[arg-type] # attempts is an int, the rest floats


def test_waits_double_until_patience_ends_in_the_failure_itself() -> None:
    attempts, waited = _attempts(attempts=4, first_wait=1.0)
    down = unreachable(QUESTION, ConnectionRefusedError("refused"))
    for _ in range(3):
        attempts.wait(down)
    with pytest.raises(HubUnreachable, match="refused"):
        attempts.wait(down)
    assert waited == [1.0, 2.0, 4.0]


def test_a_byte_of_progress_renews_patience() -> None:
    attempts, waited = _attempts(attempts=2, first_wait=1.0)
    down = unreachable(QUESTION, ConnectionResetError())
    for _ in range(5):
        attempts.wait(down)
        attempts.moved()
    assert waited == [1.0] * 5


def test_the_hubs_own_wish_is_respected_when_it_is_modest() -> None:
    attempts, waited = _attempts(attempts=4, first_wait=1.0)
    wish = refused(QUESTION, 429, "7")
    assert isinstance(wish, TryAgain)
    attempts.wait(wish)
    assert waited == [7.0]


def test_a_hub_that_asks_for_an_hour_is_told_about_instead() -> None:
    attempts, waited = _attempts(attempts=4)
    wish = refused(QUESTION, 429, "3600")
    assert isinstance(wish, TryAgain)
    with pytest.raises(Throttled, match="429"):
        attempts.wait(wish)
    assert waited == []


def test_a_certificate_that_is_not_trusted_is_told_apart_from_silence() -> None:
    error = ConnectionError("connect failed")
    error.__context__ = ssl.SSLCertVerificationError("self-signed certificate")
    assert "certificate" in str(unreachable(QUESTION, error).failure)
    assert "certificate" not in str(unreachable(QUESTION, ConnectionError("refused")).failure)


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
    answer = refused(QUESTION, status)
    failure = answer.failure if isinstance(answer, TryAgain) else answer
    assert type(failure) is kind
    assert "config.json of o/r at main" in str(failure)
    assert "http://hub" in str(failure)
