"""What a context cut to the clip does to words: `python -m benchmarks.context [--clips FOLDER] MODEL/PRECISION …`.

Every clip is heard twice, in its own length and in Whisper's 30 s, and held against what is said. Prints a table.

FOLDER holds further clips as `*.wav` at 16 kHz and, in a file `transcription` beside them, lines `words (NAME)`: so
PocketSphinx's source distribution has them below `test/data`, in `librivox` and `cards`.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from whisper_cpu.engine import Options, load
from whisper_models.artifact import Precision
from whisper_models.convert.onnx import convert
from whisper_runtime.decoding.context import ContextMode
from whisper_runtime.engine import SAMPLE_RATE, Waveform

from benchmarks.kept import kept
from tests.support.espeak import speak
from tests.support.weights import PARCELS, hf_folder, source_digest
from tests.support.words import AUDIO, JFK, JFK_WORDS, SAMPLE, word_errors

STORY = (
    "The old bridge was closed in the winter because the ice had moved two of its pillars. Nobody in the village knew "
    "who would pay for the repair. So the teacher wrote a letter to the county, and after three weeks an engineer came "
    "with a long list of questions. She measured every stone, drank a cup of tea, and promised nothing at all. In the "
    "spring the river was low, and the children crossed it on foot."
)
ELSEWHERE = {
    "de": "Am Morgen lag noch Nebel über dem Fluss, und die Fähre fuhr erst gegen neun Uhr. Der Bäcker hatte schon "
    "geöffnet, und vor seiner Tür warteten drei Kinder mit einem Hund.",
    "fr": "Le matin, il y avait encore du brouillard sur la rivière, et le bateau est parti vers neuf heures. Le "
    "boulanger avait déjà ouvert sa boutique, et trois enfants attendaient devant la porte.",
    "es": "Por la mañana todavía había niebla sobre el río, y el barco salió a las nueve. El panadero ya había abierto "
    "la tienda, y tres niños esperaban delante de la puerta.",
}
HEAD = (
    "| speech | clips | seconds each | words | wrong in 30 s | wrong in the cut context | again | times as fast |\n"
    "| --- | --: | --: | --: | --: | --: | --- | --: |"
)
HARD_CUTS = (2, 3, 5, 8, 12, 16, 20, 24)


@dataclass(frozen=True, slots=True)
class Clip:
    """Audio and its words; `open_end` if it ends in the middle of them, so that any beginning of the words is right."""

    group: str
    audio: Waveform
    words: str
    language: str = "en"
    open_end: bool = False

    def errors(self, heard: str) -> tuple[int, int]:
        """How many words are wrong, and how many were spoken."""
        spoken = self.words.split()
        ends = range(1, len(spoken) + 1) if self.open_end else (len(spoken),)
        return min((word_errors(" ".join(spoken[:end]), heard), end) for end in ends)


def clips(folder: Path | None) -> Iterator[Clip]:
    """All of them."""
    jfk = _read(JFK)
    yield Clip("jfk.wav", jfk, JFK_WORDS)
    yield from _cut_hard("jfk.wav, cut hard", jfk, JFK_WORDS)
    yield from _telephone()
    for voice, speed in (("en-us", 160), ("en", 180), ("en-us+f3", 150), ("en+m7", 190)):
        sentences = [sentence.strip() + "." for sentence in STORY.split(".") if sentence.strip()]
        for i, sentence in enumerate(sentences):
            for text in (sentence, " ".join(sentences[i : i + 2])):
                yield Clip("synthetic English", speak(text, voice, words_a_minute=speed).audio, text)
        whole = speak(STORY, voice, words_a_minute=speed).audio
        yield from _cut_hard("synthetic English, cut hard", whole, STORY)
    for language, text in ELSEWHERE.items():
        for voice in (language, f"{language}+f2"):
            yield Clip("synthetic German, French, Spanish", speak(text, voice).audio, text, language)
    if folder:
        yield from _others(folder)


def _read(path: Path) -> Waveform:
    audio: Waveform = soundfile.read(path, dtype="float32")[0]
    return audio


def _cut_hard(group: str, audio: Waveform, words: str) -> Iterator[Clip]:
    for seconds in HARD_CUTS:
        if seconds * SAMPLE_RATE < len(audio):
            yield Clip(group, audio[: seconds * SAMPLE_RATE], words, open_end=True)


def _telephone() -> Iterator[Clip]:
    """The turns of sample.wav, by its NIST STM file: start and end are its fourth and fifth columns."""
    audio = _read(SAMPLE)
    for row in (AUDIO / "sample.stm").read_text().splitlines():
        if row.strip():
            _, _, _, start, end, words = row.split(maxsplit=5)
            yield Clip("sample.wav, by turns", audio[_at(start) : _at(end)], words)


def _at(seconds: str) -> int:
    return round(float(seconds) * SAMPLE_RATE)


def _others(folder: Path) -> Iterator[Clip]:
    """Each alone, and everything in one folder up to each, with pauses of 0.3 s; the longest is cut hard too."""
    for listing in sorted(folder.rglob("*transcription")):
        group, audio, words = listing.parent.name, np.zeros(0, np.float32), ""
        for line in listing.read_text().splitlines():
            found = re.fullmatch(r"(?:<s>)?\s*(.*?)\s*(?:</s>)?\s*\((\S+)\)", line)
            if found and (path := listing.parent / f"{found[2]}.wav").is_file():
                one = _read(path)
                yield Clip(group, one, found[1])
                audio = np.concatenate([audio, np.zeros(SAMPLE_RATE * 3 // 10, np.float32), one])
                words = f"{words} {found[1]}".strip()
                yield Clip(f"{group}, joined", audio, words)
        yield from _cut_hard(f"{group}, cut hard", audio, words)


@dataclass(slots=True)
class Row:
    """What became of one group."""

    clips: int = 0
    words: int = 0
    seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    took: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)

    def add(self, other: Row) -> None:
        self.clips, self.words, self.seconds = (
            self.clips + other.clips,
            self.words + other.words,
            self.seconds + other.seconds,
        )
        for mine, theirs in ((self.errors, other.errors), (self.took, other.took), (self.again, other.again)):
            mine.update(theirs)

    def show(self, name: str) -> str:
        rates = (f"{100 * self.errors[mode] / self.words:.1f} % ({self.errors[mode]})" for mode in ("full", "cut"))
        why = ", ".join(f"{reason} {times}" for reason, times in self.again.most_common())
        speed = self.took["full"] / self.took["cut"]
        return (
            f"| {name} | {self.clips} | {self.seconds / self.clips:.1f} | {self.words} | {' | '.join(rates)} "
            f"| {sum(self.again.values())}{f' ({why})' if why else ''} | {speed:.2f} |"
        )


def compare(model: str, precision: Precision, everything: list[Clip]) -> list[str]:
    """The lines of the table of one variant."""
    made_by = source_digest(Path(convert.__code__.co_filename).parent)
    folder = kept(
        f"{model}-onnx-{precision}-{PARCELS[model].sha256[:12]}-{made_by}",
        lambda target: convert(hf_folder(model), target, precision),
    )
    modes: tuple[ContextMode, ...] = ("full", "cut")
    engines = {mode: load(folder, context=mode) for mode in modes}
    rows: dict[str, Row] = {}
    for clip in everything:
        if model.endswith(".en") and clip.language != "en":
            continue
        row = Row(1, seconds=len(clip.audio) / SAMPLE_RATE)
        for mode, engine in engines.items():
            begun = time.process_time()
            heard = engine.transcribe(clip.audio, Options(language=clip.language))
            row.took[mode] = time.process_time() - begun  # type: ignore[assignment]  # typeshed: counts are int
            row.errors[mode], spoken = clip.errors(" ".join(segment.text for segment in heard.segments))
            row.words = row.words or spoken
            row.again.update(heard.heard_in_full)
        rows.setdefault(clip.group, Row()).add(row)
    everywhere = Row()
    for row in rows.values():
        everywhere.add(row)
    return [*(row.show(name) for name, row in rows.items()), everywhere.show("**all**")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("variants", nargs="+", metavar="MODEL/PRECISION")
    flags = parser.parse_args()
    everything = list(clips(flags.clips))
    for variant in flags.variants:
        model, precision = variant.split("/")
        print(f"\n### {model} {precision}\n")
        print(HEAD)
        print("\n".join(compare(model, Precision(precision), everything)), flush=True)


if __name__ == "__main__":
    main()
