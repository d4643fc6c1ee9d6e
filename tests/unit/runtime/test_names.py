"""Names of models and of languages."""

import pytest
from whisper_runtime.errors import InvalidRequest, ModelNotFound
from whisper_runtime.languages import NAMES, code_of, supported
from whisper_runtime.names import Names

NAMED = Names("base", ("speech", "small"))


@pytest.mark.parametrize("asked", [None, "", "base", "whisper-base", "whisper-1", "speech"])
def test_the_models_own_names_are_served_in_full(asked: str | None) -> None:
    assert not NAMED.degraded(asked)


@pytest.mark.parametrize("asked", ["small", "whisper-small"])
def test_standing_in_for_another_model_is_said(asked: str) -> None:
    assert NAMED.degraded(asked)


def test_only_names_that_the_service_does_not_know_are_an_error() -> None:
    with pytest.raises(ModelNotFound, match="base, whisper-base, whisper-1, speech, small"):
        NAMED.degraded("large-v3")


@pytest.mark.parametrize("said", ["de", "DE", "German", "de-AT", "de_CH"])
def test_a_language_is_known_by_code_region_and_name(said: str) -> None:
    assert code_of(said) == "de"


def test_unknown_and_unspoken_languages_are_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="klingon"):
        code_of("klingon")
    with pytest.raises(InvalidRequest, match="french"):
        supported("fr", ("en",), "tiny.en")


def test_all_of_whispers_languages_are_there() -> None:
    assert len(NAMES) == 100
