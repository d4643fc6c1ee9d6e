"""The word that a process leaves."""

from pathlib import Path

from whisper_runtime.serving.ending import leave_word


def test_the_reason_is_one_line_that_fits(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.touch()
    leave_word(file, "Why: first\n  second " + "x" * 10_000)
    text = file.read_text()
    assert text.startswith("Why: first second x")
    assert (text.count("\n"), len(text) < 4096) == (1, True)


def test_where_no_kubelet_put_a_file_none_is_made(tmp_path: Path) -> None:
    leave_word(tmp_path / "log", "Why")
    assert not (tmp_path / "log").exists()


def test_a_file_that_cannot_be_written_does_not_stop_the_end(tmp_path: Path) -> None:
    leave_word(tmp_path, "Why")
