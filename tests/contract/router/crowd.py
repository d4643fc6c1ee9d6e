"""Fifty callers at once, each with its next request as soon as the last one is answered."""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
import wave
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx

from tests.support.words import JFK

CALLERS = 50
PATIENCE = 120
"""Seconds that one waits for an answer."""


def clip() -> bytes:
    """The first two seconds of the speech, as a WAV file."""
    file = io.BytesIO()
    with wave.open(str(JFK)) as speech, wave.open(file, "wb") as out:
        out.setparams(speech.getparams())
        out.writeframes(speech.readframes(2 * speech.getframerate()))
    return file.getvalue()


@dataclass(frozen=True)
class Call:
    """One request and what became of it; times by the monotonic clock."""

    began: float
    ended: float
    answer: httpx.Response

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass
class Crowd:
    """What they heard so far. A caller whose connection breaks is a lost request, and ends the test."""

    calls: list[Call] = field(default_factory=list)
    leaving: bool = False

    def lost(self) -> Counter[tuple[int, str]]:
        """What was heard instead of words."""
        answers = (call.answer for call in self.calls)
        return Counter((one.status_code, one.text) for one in answers if one.status_code != httpx.codes.OK)

    def since(self, when: float) -> list[Call]:
        """Requests that began after that."""
        return [call for call in self.calls if call.began >= when]

    async def hears(self, enough: Callable[[Crowd], bool], *, within: float = 120.0) -> None:
        """Go on until it is so."""
        async with asyncio.timeout(within):
            while not enough(self):  # noqa: ASYNC110 - what is awaited is many small things
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def crowd(url: Callable[[], str]) -> AsyncIterator[Crowd]:
    """They call until the block ends, and then hear their last answers.

    Args:
        url: whom a new connection leads to. A caller keeps its connection until it hears `connection: close`.
    """
    found = Crowd()
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(_calls(found, url))
        try:
            yield found
        finally:
            found.leaving = True


async def _calls(found: Crowd, url: Callable[[], str]) -> None:
    audio = clip()
    while not found.leaving:
        async with httpx.AsyncClient(base_url=url(), timeout=PATIENCE) as connection:
            closing = False
            while not (closing or found.leaving):
                began = time.monotonic()
                answer = await connection.post("/transcribe", files={"file": ("clip.wav", audio)})
                found.calls.append(Call(began, time.monotonic(), answer))
                closing = answer.headers.get("connection") == "close"
