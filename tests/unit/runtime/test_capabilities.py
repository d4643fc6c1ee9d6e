"""What is offered is what the model was trained for."""

import pytest
from whisper_runtime.capabilities import of_model


@pytest.mark.parametrize(
    ("model", "vocabulary", "offers"),
    [
        ("base", "multilingual", {"translate", "language_detection"}),
        ("tiny.en", "english", set()),
        ("large-v3-turbo", "multilingual", {"language_detection"}),
        ("our-fine-tune", "multilingual", {"translate", "language_detection"}),
    ],
)
def test_translation_is_offered_where_the_model_was_trained_for_it(
    model: str, vocabulary: str, offers: set[str]
) -> None:
    assert of_model(model, multilingual=vocabulary == "multilingual") == offers
