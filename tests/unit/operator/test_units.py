"""Durations and amounts as Kubernetes writes them."""

from fractions import Fraction

import pytest
from whisper_operator.api.units import amount, human_bytes, seconds


@pytest.mark.parametrize(
    ("quantity", "means"),
    [
        ("4Gi", 2**32),
        ("500m", Fraction(1, 2)),
        ("1.5Mi", 1572864),
        ("0", 0),
        ("2P", 2 * 10**15),
        ("1Ei", 2**60),
        ("1E", 10**18),
        ("1e3", 1000),
        ("12E2", 1200),
        ("100n", Fraction(1, 10**7)),
        ("-1", -1),
        (".5", Fraction(1, 2)),
    ],
)
def test_an_amount_is_read_as_the_api_server_may_write_it(quantity: str, means: Fraction) -> None:
    assert amount(quantity) == means


@pytest.mark.parametrize("quantity", ["", "much", "1X", "1e", "Gi"])
def test_what_is_no_amount_is_a_value_error(quantity: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        amount(quantity)


def test_durations_add_up() -> None:
    assert [seconds(one) for one in ("500ms", "1m30s", "1h", "0s")] == [0.5, 90, 3600, 0]


def test_bytes_for_people() -> None:
    assert [human_bytes(one) for one in (5, 78643200, 2**31)] == ["5 B", "75 MiB", "2.0 GiB"]
