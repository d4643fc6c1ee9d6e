"""One writer per variant without file locks, and no writer's death blocks the next for ever."""

import json
import multiprocessing
import os
import threading
from pathlib import Path

import pytest
from whisper_models.store.writer import OWNER, Patience, sole_writer

QUICK = Patience(beat=0.02, stale=0.3, poll=0.01)
DEADLINE = 20.0


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
    with sole_writer(folder, _never, QUICK) as needed:
        assert needed


def test_a_writer_that_lives_is_waited_for_however_long_it_takes(tmp_path: Path) -> None:
    """It beats every 0.02 s; the waiter would take over after 0.3 s of silence, and is kept out for 1 s."""
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
    assert not entered.wait(1.0)
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
