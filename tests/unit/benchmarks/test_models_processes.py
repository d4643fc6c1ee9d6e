import sys

import pytest

from benchmarks.models.processes import CommandFailedError, run

MEBI = 1 << 20


def test_memory_is_that_of_the_command_and_not_of_whoever_starts_it() -> None:
    held = bytearray(300 * MEBI)
    held[:: 1 << 12] = b"x" * (len(held) >> 12)  # each page is touched
    small = run([sys.executable, "-I", "-S", "-c", "pass"])
    assert small.peak_mib < 100
    assert len(held) == 300 * MEBI


def test_memory_of_a_command_s_own_child_counts() -> None:
    child = f"x = bytearray({200 * MEBI}); x[::4096] = bytes([1]) * (len(x) // 4096)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    assert run([sys.executable, "-c", program]).peak_mib > 200


def test_a_command_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(CommandFailedError, match="ended with 3: so it was"):
        run([sys.executable, "-c", "import sys; print('so it was', file=sys.stderr); sys.exit(3)"])
