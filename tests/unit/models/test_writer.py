"""One writer per variant without file locks, and no writer's death blocks the next for ever."""

import json
import multiprocessing
import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from whisper_models.store.writer import OWNER, Patience, Silence, sole_writer

QUICK = Patience(beat=0.02, stale=3600.0, poll=0.01)
DEADLINE = 60.0


def _never() -> bool:
    return False


def test_of_many_at_once_one_writes_and_the_others_find_it_done(tmp_path: Path) -> None:
    finished = threading.Event()
    wrote: list[bool] = []

    def work() -> None:
        with sole_writer(tmp_path / ".writer", finished.is_set, QUICK) as needed:
            wrote.append(needed)
            if needed:
                finished.set()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert sorted(wrote) == [False] * 7 + [True]


def test_the_folder_is_gone_afterwards_also_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="broken"), sole_writer(tmp_path / ".writer", _never, QUICK):
        raise RuntimeError("broken")
    assert list(tmp_path.iterdir()) == []


def test_a_writer_of_another_machine_that_gives_no_sign_of_life_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / ".writer"
    folder.mkdir()
    (folder / OWNER).write_text(json.dumps({"host": "a-lost-node", "namespace": "x", "pid": 1, "beat": 3}))
    with sole_writer(folder, _never, replace(QUICK, stale=0.1)) as needed:
        assert needed


def test_silence_is_counted_from_the_last_sign_of_life() -> None:
    silence = Silence()
    assert silence.lasted({"beat": 1}, now=100.0) == 0
    assert silence.lasted({"beat": 1}, now=140.0) == 40
    assert silence.lasted({"beat": 2}, now=145.0) == 0
    assert silence.lasted({"beat": 2}, now=150.0) == 5
    assert silence.lasted(None, now=151.0) == 0  # it let go, or was taken over, between two looks


def test_a_writer_gives_signs_of_life_while_it_writes(tmp_path: Path) -> None:
    with sole_writer(tmp_path / ".writer", _never, QUICK):
        until = time.monotonic() + DEADLINE
        seen: set[int] = set()
        while len(seen) < 3 and time.monotonic() < until:
            with suppress(OSError, ValueError):
                seen.add(json.loads((tmp_path / ".writer" / OWNER).read_text())["beat"])
    assert len(seen) == 3


def test_the_next_writer_enters_when_the_first_has_left(tmp_path: Path) -> None:
    inside, release, entered = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with sole_writer(tmp_path / ".writer", _never, QUICK):
            inside.set()
            release.wait(DEADLINE)

    def second() -> None:
        with sole_writer(tmp_path / ".writer", _never, QUICK):
            entered.set()

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(DEADLINE)
    threads[1].start()
    assert not entered.wait(0.2)
    release.set()
    assert entered.wait(DEADLINE)
    for thread in threads:
        thread.join(DEADLINE)


def _die_while_writing(folder: Path) -> None:
    with sole_writer(folder, _never, Patience()):
        while not (folder / OWNER).is_file():
            pass
        os._exit(0)


def test_a_writer_that_died_on_this_machine_is_taken_over_at_once(tmp_path: Path) -> None:
    folder = tmp_path / ".writer"
    process = multiprocessing.get_context("spawn").Process(target=_die_while_writing, args=(folder,))
    process.start()
    process.join(DEADLINE)
    assert (folder / OWNER).is_file()
    with sole_writer(folder, _never, Patience(stale=3600.0, poll=0.01)) as needed:
        assert needed
