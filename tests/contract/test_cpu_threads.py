"""Threads of inference leave the cores to others as soon as there is nothing to compute."""

from pathlib import Path

import soundfile
from whisper_cpu.engine import Options, load
from whisper_models.artifact import Format

from tests.support.artifacts import converted_folder
from tests.support.waiting import wait_until
from tests.support.words import JFK

TASKS = Path("/proc/self/task")
LONGEST = 0.01
"""Seconds of processor time; left to themselves they take 0.03 and more."""


def test_threads_sleep_soon_after_the_last_step() -> None:
    before = set(TASKS.iterdir())
    engine = load(converted_folder("tiny.en", Format.ONNX, "int8"), threads=2)
    samples, _ = soundfile.read(JFK, dtype="float32")
    threads = set(TASKS.iterdir()) - before
    assert threads

    engine.transcribe(samples, Options())
    done = cpu_seconds(threads)
    wait_until(lambda: all(sleeps(one) for one in threads), within=60, every=0.001, what="all sleep")

    assert done > 0
    assert cpu_seconds(threads) - done < LONGEST


def cpu_seconds(threads: set[Path]) -> float:
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9


def sleeps(thread: Path) -> bool:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "S"
