"""What a target is made of is made here, and what is left out is said."""

import pytest
from whisper_models.artifact import OFFERED
from whisper_models.optimize.targets import MAC, TARGETS, Target


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_a_target_prefers_only_what_is_offered_and_says_why(target: Target) -> None:
    assert target.choices
    for choice in target.choices:
        assert choice.precision in OFFERED[choice.format]
    sentences = [
        *(choice.why for choice in target.choices),
        *target.cannot_on("linux"),
        *target.cannot_on("darwin"),
    ]
    assert all(sentence.endswith(".") for sentence in sentences)


def test_the_coreml_encoder_is_not_passed_over_in_silence() -> None:
    for platform in ("linux", "darwin"):
        assert "CoreML" in " ".join(MAC.cannot_on(platform))
    assert MAC.cannot_on("linux") != MAC.cannot_on("darwin")


def test_variants_are_of_the_model_that_was_asked_for() -> None:
    ggml = ["base ggml q5_0", "base ggml q8_0"]
    assert [str(variant) for variant in MAC.variants("base", "linux")] == ggml
    assert [str(variant) for variant in MAC.variants("base", "darwin")] == [*ggml, "base coreml fp16"]
