"""`transcribe`: files at hand, one after the other, to standard output or into a folder; progress to standard error."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from whisper_runtime.api import answers
from whisper_runtime.audio.decode import decode
from whisper_runtime.audio.mono import Limits
from whisper_runtime.engine import Artifact, Compiles, Engine, Options, never
from whisper_runtime.errors import RequestFailure
from whisper_runtime.options import checked
from whisper_runtime.results import Result, Segment
from whisper_runtime.runtime import Done
from whisper_runtime.serving.inference import Outcome
from whisper_runtime.serving.verify import verify
from whisper_runtime.settings import Settings
from whisper_runtime.speech.transcription import seconds_of, transcribe

_FORMS: Mapping[str, Callable[[Result], str]] = MappingProxyType(
    {
        "txt": lambda result: result.text + "\n",
        "json": lambda result: result.model_dump_json() + "\n",
        "srt": answers.srt,
        "vtt": answers.vtt,
    }
)
_ONE_EACH = frozenset({"srt", "vtt"})
_CLEAR = "\r\x1b[K"
"""To the beginning of a terminal's line, which is then empty."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_STDERR = 2


def add_file_flags(parser: argparse.ArgumentParser) -> None:
    """What `transcribe` understands beside the engine's settings."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="audio in any common format")
    forms = parser.add_mutually_exclusive_group()
    about = {"json": "the whole result, one JSON object a line", "srt": "SubRip subtitles", "vtt": "WebVTT subtitles"}
    for form, what in about.items():
        forms.add_argument(f"--{form}", dest="form", action="store_const", const=form, help=f"print {what}")
    parser.set_defaults(form="txt")
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="write each answer to FOLDER/NAME.txt (.json, .srt, .vtt) instead"
    )
    parser.add_argument("--words", action="store_true", help="with --json: when each word was said")
    parser.add_argument("--language", help="a code such as 'en' or a name; detected unless given")
    parser.add_argument("--prompt", help="text that the model continues")
    parser.add_argument("--hotwords", help="names and terms that are likely to be said")
    parser.add_argument(
        "--task", choices=("transcribe", "translate"), default="transcribe", help="translate: to English"
    )


def refuse_contradiction(flags: argparse.Namespace) -> None:
    """Several subtitles do not make one file, nor two answers.

    Raises:
        ValueError: a sentence naming what is wrong.
    """
    if flags.form in _ONE_EACH and len(flags.files) > 1 and flags.to is None:
        raise ValueError(f"--{flags.form} of several files needs --to FOLDER: each answer is a file of its own")
    if flags.words and flags.form != "json":
        raise ValueError("--words needs --json: the other forms have no place for them")
    if flags.to is not None and len({file.stem for file in flags.files}) < len(flags.files):
        raise ValueError("--to: two of the files have the same name but for its ending, and so would their answers")


def transcribe_files(
    name: str, engine: Engine, settings: Settings, artifact: Artifact, flags: argparse.Namespace
) -> int:
    """Load the model, transcribe all; the exit status: 0 all done, 1 some failed, 130 and 143 ended by a signal."""
    for number in _SIGNALS:
        signal.signal(number, _end)
    verify(artifact, settings.threads)
    work = _Work(name, engine, artifact, settings.max_audio_seconds, flags)
    try:
        engine.load(artifact)
        if isinstance(engine, Compiles):
            engine.compile()
        return int(not all([work.transcribe(file) for file in flags.files]))  # noqa: C419 - one failure must not end it
    finally:
        engine.close()


def _end(number: int, _: object) -> None:
    """At once: an exception would be lost where the signal comes while a library calls back to read a file."""
    clear = _CLEAR if os.isatty(_STDERR) else ""
    os.write(_STDERR, f"{clear}{signal.strsignal(number)}\n".encode())  # sys.stderr may be in the middle of a line
    os._exit(128 + number)


@dataclass(slots=True)
class _Progress:
    """One line for each file that is done; on a terminal, how far the present one is."""

    name: str
    live: bool

    def say(self, message: str) -> None:
        """A line that stays."""
        sys.stderr.write(f"{_CLEAR if self.live else ''}{self.name}: {message}\n")

    def at(self, file: Path, seconds: float, whole: float) -> None:
        """How far it is; overwritten by what comes next."""
        if self.live:
            sys.stderr.write(f"{_CLEAR}{self.name}: {file}: {seconds:.0f} of {whole:.0f} s")
            sys.stderr.flush()


class _Work:
    """What is the same for all files."""

    def __init__(
        self, name: str, engine: Engine, artifact: Artifact, max_seconds: float, flags: argparse.Namespace
    ) -> None:
        self._engine, self._artifact, self._max_seconds, self._flags = engine, artifact, max_seconds, flags
        self.progress = _Progress(name, live=sys.stderr.isatty())

    def transcribe(self, file: Path) -> bool:
        """One file; whether it went well."""
        try:
            result = self._result(file)
            self._write(file, _FORMS[self._flags.form](result))
        except (RequestFailure, OSError) as error:
            self.progress.say(f"{file}: {error}")
            return False
        except Exception as error:  # noqa: BLE001 - whatever fails inside the engine, the next file has its turn
            self.progress.say(f"{file}: the engine failed: {type(error).__name__}: {error}")
            return False
        unmet = f"; without {', '.join(result.degraded)}" if result.degraded else ""
        self.progress.say(f"{file}: {result.duration:.1f} s of audio in {result.processing_time:.1f} s{unmet}")
        return True

    def _result(self, file: Path) -> Result:
        flags, info = self._flags, self._engine.info
        wanted = Options(
            task=flags.task,
            language=flags.language,
            prompt=flags.prompt,
            hotwords=flags.hotwords,
            word_timestamps=flags.words,
        )
        options, unmet = checked(wanted, info, self._artifact.model)
        begun = time.perf_counter()
        with file.open("rb") as opened:
            audio = decode(opened, Limits(self._max_seconds))
        decoded, seconds = time.perf_counter(), seconds_of(audio)

        def tell(segments: Sequence[Segment]) -> None:
            if segments:
                self.progress.at(file, segments[-1].end, seconds)

        heard = transcribe(self._engine, audio, options, never, on_segments=tell)
        done = Done(Outcome(heard, 0.0), seconds, decoded - begun, time.perf_counter() - begun)
        return answers.result_of(done, options, info, self._artifact.model, request_id=str(file), degraded=unmet)

    def _write(self, file: Path, text: str) -> None:
        folder: Path | None = self._flags.to
        if folder is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{file.stem}.{self._flags.form}").write_text(text)
