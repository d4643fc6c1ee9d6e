"""What a model can do, whichever engine runs it."""

from __future__ import annotations

from whisper_models.catalogue import CATALOGUE, canonical

_MULTILINGUAL = frozenset({"translate", "language_detection"})


def of_model(model: str, *, multilingual: bool) -> frozenset[str]:
    """Its capabilities. A fine-tune of unknown name is taken at its vocabulary's word."""
    if not multilingual:
        return frozenset()
    entry = CATALOGUE.get(canonical(model))
    cannot = frozenset({"translate"}) if entry is not None and not entry.translates else frozenset[str]()
    return _MULTILINGUAL - cannot
