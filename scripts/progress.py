"""One line for each thing that happens, with the seconds since the start: what a person watches while waiting."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Progress:
    """Says lines to a stream; a topic says a line again only when it changed."""

    out: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False)
    said: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def elapsed(self) -> float:
        """Seconds since this was made."""
        return self.clock() - self.started

    def say(self, text: str) -> None:
        """Print the text with the time; further lines are indented under the first."""
        first, *more = text.splitlines() or [""]
        print(f"[{self.elapsed():6.1f}s] {first}", file=self.out)
        for line in more:
            print(f"{'':9} {line}", file=self.out)
        self.out.flush()

    def changed(self, topic: str, text: str) -> None:
        """Say the text unless it is what the topic said last."""
        if self.said.get(topic) != text:
            self.said[topic] = text
            self.say(text)
