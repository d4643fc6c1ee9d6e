"""Threads from the container's CPU limit."""

import os
from pathlib import Path

import pytest
from whisper_runtime.threads import available_threads

ALLOWED = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "threads"),
    [("max 100000", ALLOWED), ("50000 100000", 1), ("150000 100000", min(2, ALLOWED)), ("9900000 100000", ALLOWED)],
)
def test_version_2_says_quota_and_period_in_one_file(tmp_path: Path, quota: str, threads: int) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert available_threads(tmp_path) == threads


@pytest.mark.parametrize(("quota", "threads"), [("-1", ALLOWED), ("100000", 1)])
def test_version_1_says_them_in_two(tmp_path: Path, quota: str, threads: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000")
    assert available_threads(tmp_path) == threads


def test_without_a_limit_it_is_what_the_process_may_run_on(tmp_path: Path) -> None:
    assert available_threads(tmp_path) == ALLOWED
