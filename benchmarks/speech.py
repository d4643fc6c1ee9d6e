"""What helps to understand speech, and what it costs: beams, warmer tries, precision. `python -m benchmarks.speech`.

Beams are faster-whisper's, since our loop has none: the question is whether it should.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import soundfile
from faster_whisper import WhisperModel
from whisper_cpu.engine import load
from whisper_models.artifact import Format
from whisper_runtime.engine import Options, Waveform, never
from whisper_runtime.speech.transcription import transcribe

from tests.support.artifacts import converted_folder
from tests.support.espeak import speak
from tests.support.words import JFK_WORDS, SAMPLE, jfk, sample_words, word_errors

MODELS = ("base", "tiny.en")
SENTENCES = (
    "The old farmer walked slowly across the field, and then he sat down under a tree.",
    "Please send the money to my brother before the end of the month. He needs it for the house.",
    "In the morning the children play outside. When it rains, they stay at home and read books.",
    "I would like to know how many people will come to dinner on Saturday evening.",
    "The weather was cold and windy, but the ship left the harbour on time.",
)
VOICES = ("en-us+f2", "en+m3")
Hear = Callable[[Waveform], str]


def clips() -> dict[str, list[tuple[Waveform, str]]]:
    """By kind, waveforms and what is said in them."""
    telephone = np.asarray(soundfile.read(SAMPLE, dtype="float32")[0], np.float32)
    made = [(speak(sentence, voice).audio, sentence) for sentence in SENTENCES for voice in VOICES]
    return {"speech": [(jfk(), JFK_WORDS)], "telephone": [(telephone, sample_words())], "synthetic": made}


def ours(model: str, precision: str, temperature: float = 0.0) -> Hear:
    engine = load(converted_folder(model, Format.ONNX, precision))

    def hear(audio: Waveform) -> str:
        heard = transcribe(engine, audio, Options(language="en", temperature=temperature), never).transcript
        return "".join(segment.text for segment in heard.segments)

    return hear


def theirs(model: str, precision: str, beams: int, *, warmer: bool = True) -> Hear:
    folder = converted_folder(model, Format.CTRANSLATE2, "int8" if precision == "int8" else "fp16")
    whisper = WhisperModel(str(folder), device="cpu", compute_type=precision, cpu_threads=1)
    temperatures = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] if warmer else [0.0]

    def hear(audio: Waveform) -> str:
        heard, _ = whisper.transcribe(
            audio, language="en", vad_filter=True, beam_size=beams, best_of=beams, temperature=temperatures
        )
        return "".join(segment.text for segment in heard)

    return hear


def contenders(model: str) -> dict[str, Hear]:
    return {
        "whisper-cpu int8": ours(model, "int8"),
        "whisper-cpu fp32": ours(model, "fp32"),
        "whisper-cpu int4": ours(model, "int4"),
        "whisper-cpu int8, from temperature 0.4": ours(model, "int8", 0.4),
        "faster-whisper int8, greedy": theirs(model, "int8", 1),
        "faster-whisper int8, 2 beams": theirs(model, "int8", 2),
        "faster-whisper int8, 5 beams": theirs(model, "int8", 5),
        "faster-whisper int8, greedy, never warmer": theirs(model, "int8", 1, warmer=False),
        "faster-whisper fp32, greedy": theirs(model, "float32", 1),
    }


def main() -> None:
    said = clips()
    print(f"| model | engine | {' | '.join(said)} | CPU seconds |\n|---|---|{'--:|' * (len(said) + 1)}")
    for model in MODELS:
        for name, hear in contenders(model).items():
            begun = time.process_time()
            wrong = [sum(word_errors(text, hear(audio)) for audio, text in kind) for kind in said.values()]
            print(
                f"| {model} | {name} | {' | '.join(map(str, wrong))} | {time.process_time() - begun:.1f} |", flush=True
            )
    words = [sum(len(text.split()) for _, text in kind) for kind in said.values()]
    print(f"Words said: {', '.join(map(str, words))}.")


if __name__ == "__main__":
    main()
