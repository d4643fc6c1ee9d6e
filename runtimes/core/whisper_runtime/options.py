"""What of a request's options an engine can honour."""

from __future__ import annotations

from dataclasses import replace

from whisper_runtime.engine import EngineInfo, Options
from whisper_runtime.errors import UnsupportedTask
from whisper_runtime.languages import supported

_NEEDS = {"prompt": "prompt", "hotwords": "hotwords", "word_timestamps": "words", "logprobs": "logprobs"}
"""Option → the capability without which the engine does as if it was not there."""
_PLAIN = Options()


def checked(options: Options, info: EngineInfo, model: str) -> tuple[Options, list[str]]:
    """Options as this engine can honour them, and the names of those that it cannot.

    Raises:
        InvalidRequest, UnsupportedTask: where going on would give nonsense.
    """
    if options.task == "translate" and "translate" not in info.capabilities:
        raise UnsupportedTask(f"model {model!r} was not trained to translate", param="task")
    if options.language is not None:
        options = replace(options, language=supported(options.language, info.languages, model))
    unmet = [name for name, needs in _NEEDS.items() if getattr(options, name) and needs not in info.capabilities]
    return replace(options, **{name: getattr(_PLAIN, name) for name in unmet}), unmet
