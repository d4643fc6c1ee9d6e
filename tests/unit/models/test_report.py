"""Figures as people read them, in columns that stay in line."""

import pytest
from whisper_models.commands.report import size, table


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (41_300_000, "41 MB"),
        (999_600_000, "1.0 GB"),
        (6_170_000_000, "6.2 GB"),
    ],
)
def test_a_size_has_the_unit_that_fits(count: int, said: str) -> None:
    assert size(count) == said


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table([("MODEL", "SIZE", "PATH"), ("tiny", "1 GB", "a"), ("base.en", "10 MB", "")], right={1}) == [
        "MODEL     SIZE  PATH",
        "tiny      1 GB  a",
        "base.en  10 MB",
    ]
