"""The process of one contender: `python -m benchmarks.worker SETTING`, driven by `contender`.

It binds itself to as many cores as it may have threads, so that "one thread" means one core for every library, whatever
else the library starts. Requests come as lines of JSON, answers go as lines of JSON on the original standard output;
what libraries print goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from benchmarks.peers import Peer, Setting
from tests.support.processes import use


def main() -> None:
    answers = _private_stdout()
    setting = Setting.from_json(sys.argv[1])
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: setting.threads])
    begun = time.perf_counter()
    peer: Peer = importlib.import_module(setting.module).load(setting)
    _send(answers, {"load_seconds": time.perf_counter() - begun})
    for line in sys.stdin:
        _send(answers, _answer(peer, json.loads(line)))


def _answer(peer: Peer, request: dict[str, Any]) -> dict[str, Any]:
    samples = _samples(Path(request["audio"]))
    before, begun = use(os.getpid()), time.perf_counter()
    text = peer.speech(samples) if request["vad"] else peer.window(samples, words=request["words"])
    seconds, after = time.perf_counter() - begun, use(os.getpid())
    cpu_seconds = after.cpu_seconds - before.cpu_seconds
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "text": text, "peak_mib": after.peak_mib}


def _samples(audio: Path) -> Any:
    import soundfile  # noqa: PLC0415 - after the environment and the cores are settled

    return soundfile.read(audio, dtype="float32")[0]


def _private_stdout() -> TextIO:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _send(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
