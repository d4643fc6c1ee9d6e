"""Several windows of one file decoded at once: a step of the decoder takes little longer for four windows than for one.

Each is encoded in a step of its own, then all are decoded in one. What a window needs beyond that, which is warmer
attempts and what the model left at its end, it gets in a step of its own too, as if it had been heard alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import cast

from whisper_runtime.decoding.attempt import MAX_TOKENS, Attempt, Saying, fresh_random
from whisper_runtime.decoding.graphs import Audio, BatchDecoder, BatchGraphs
from whisper_runtime.decoding.listener import Hearing, Listener, chance, more_to_hear
from whisper_runtime.decoding.mel import Floats
from whisper_runtime.engine import Options, Stop, Transcript

Borrow = Callable[[], AbstractContextManager[Listener]]
"""A listener for one step: between two steps others may have it."""


def hear_together(
    borrow: Borrow, audios: Sequence[Floats], options: Options, stop: Stop
) -> Iterator[tuple[Transcript, ...]]:
    """After each step the transcripts that are final by now, in order; see `engine.HearsTogether`."""
    encoded: list[Audio] = []
    for audio in audios:
        with borrow() as listener:
            stop()
            encoded.append(listener.encode(audio))
        yield ()
    with borrow() as listener:
        windows = _decode(listener, audios, encoded, options, stop)
    final: list[Transcript] = []
    for window in windows:
        if window.unfinished:
            yield tuple(final)
            final.clear()
            with borrow() as listener:
                window.finish(listener)
        final.append(window.hearing.transcript())
    yield tuple(final)


@dataclass(slots=True)
class _Window:
    """A window that was decoded together with others, and what it still needs."""

    audio: Floats
    heard: Audio
    first: Attempt
    hearing: Hearing
    at: int = 0
    """Up to where its segments are known."""

    @property
    def unfinished(self) -> bool:
        """Whether something has to be heard again."""
        return more_to_hear(self.audio, self.at)

    def take(self, listener: Listener, attempt: Attempt) -> None:
        """Segments of what was decoded."""
        self.at = listener.take(self.heard, attempt, len(self.audio), 0, self.hearing)

    def finish(self, listener: Listener) -> None:
        """All that is left to do."""
        if not self.at:
            self.take(listener, listener.again(self.heard, self.first, self.hearing))
        listener.go_on(self.audio, self.at, self.hearing)


def _decode(
    listener: Listener, audios: Sequence[Floats], encoded: list[Audio], options: Options, stop: Stop
) -> list[_Window]:
    """Each window's first attempt, with its segments if it is good."""
    decoder = cast("BatchGraphs", listener.graphs).batch_decoder(encoded)
    attempts = _attempts(listener, decoder, options, stop)
    language = options.language or "en"
    windows = [
        _Window(audio, heard, attempt, Hearing(options, stop, language))
        for audio, heard, attempt in zip(audios, decoder.audios, attempts, strict=True)
    ]
    for window in windows:
        stop()
        if window.first.good:
            window.take(listener, window.first)
    return windows


def _attempts(listener: Listener, decoder: BatchDecoder, options: Options, stop: Stop) -> list[Attempt]:
    """Of each window at the request's temperature. One that came to its end is fed the end until all have."""
    v, rows = listener.vocabulary, len(decoder.audios)
    decoder.feed([(*v.prompt(options.prompt, options.hotwords), v.start)] * rows)
    no_speech = [chance(logits, v.no_speech) for logits in decoder.logits]
    for order in v.orders(options.language or "en", options.task):
        decoder.feed([(order,)] * rows)
    most = min(MAX_TOKENS, decoder.positions - decoder.at)
    sayings = [Saying(options.temperature, most, fresh_random()) for _ in range(rows)]
    while True:
        stop()
        tokens = [
            v.end if saying.over else saying.go_on(listener.chooser, logits, v.end)
            for saying, logits in zip(sayings, decoder.logits, strict=True)
        ]
        if all(saying.over for saying in sayings):
            return [saying.made(v, chance) for saying, chance in zip(sayings, no_speech, strict=True)]
        decoder.feed([(token,) for token in tokens])
