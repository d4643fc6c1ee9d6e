"""Bytes on a volume."""

from __future__ import annotations

from pathlib import Path

from whisper_models.store.files import begin_to_write


def test_what_the_disk_is_told_to_begin_with_is_there_for_every_reader_and_the_next_part_begins_behind_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "part"
    with path.open("a+b") as file:
        file.write(b"first")
        behind = begin_to_write(file, 0)
        assert path.read_bytes() == b"first"
        file.write(b", second")
        assert begin_to_write(file, behind) == len(b"first, second")
        assert path.read_bytes() == b"first, second"
