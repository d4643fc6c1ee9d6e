"""The part `http`: latency, throughput and memory of servers on loopback, and what HTTP adds to our engines' time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks.report import say
from benchmarks.rounds import Limits, in_turns
from benchmarks.runtimes.calls import Answer, Crowd, call, crowd
from benchmarks.runtimes.clips import Clip
from benchmarks.runtimes.servers import KINDS, Server, running
from tests.support.processes import memory_mib, tree, use
from tests.support.words import word_errors

CROWDS: Mapping[int, int] = MappingProxyType({1: 4, 4: 8, 16: 16})
"""Callers at a time → calls of all of them together, few: the slowest server takes half a minute for 16."""


@dataclass(frozen=True, slots=True)
class Latency:
    """All answers of one server about one clip."""

    server: str
    clip: Clip
    words: bool
    answers: Sequence[Answer]

    def errors(self) -> int:
        """Words that it got wrong."""
        return max(word_errors(self.clip.words, answer.text) for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB of a server and its children: when it was ready, and the most ever."""

    ready: float
    peak: float


@dataclass(frozen=True, slots=True)
class Served:
    """Everything that was measured of servers."""

    threads: int
    latencies: Sequence[Latency]
    crowds: dict[str, dict[int, Crowd]]
    crowd_clip: Clip
    memory: dict[str, Memory]


def served(clips: Sequence[Clip], crowd_clip: Clip, threads: int, limits: Limits) -> Served:
    """All servers run at once, and are called in turns."""
    with ExitStack() as stack:
        servers = {}
        for name in KINDS:
            say(f"{name} starts to serve")
            servers[name] = stack.enter_context(running(name, threads))
        ready = {name: sum(memory_mib(one, "VmRSS") for one in tree(server.pid)) for name, server in servers.items()}
        latencies = []
        for clip in clips:
            for words in (False, True):
                say(f"{clip.name}, words {'on' if words else 'off'}: one caller")
                latencies += _latencies(servers, clip, limits, words=words)
        crowds: dict[str, dict[int, Crowd]] = {name: {} for name in servers}
        for name, server in servers.items():
            sent = server.upload(crowd_clip.file, words=False)
            for callers, calls in CROWDS.items():
                say(f"{name}: {calls} calls, {callers} at a time")
                crowds[name][callers] = crowd(sent, callers, calls)
        memory = {name: Memory(ready[name], use(server.pid).peak_mib) for name, server in servers.items()}
    return Served(threads, latencies, crowds, crowd_clip, memory)


def _latencies(servers: dict[str, Server], clip: Clip, limits: Limits, *, words: bool) -> list[Latency]:
    """One call each to warm up, then the rounds."""
    calls = {}
    for name, server in servers.items():
        sent = server.upload(clip.file, words=words)
        call(sent)
        calls[name] = lambda sent=sent: call(sent)
    taken = in_turns(calls, limits, time.monotonic)
    return [Latency(name, clip, words, answers) for name, answers in taken.items()]
