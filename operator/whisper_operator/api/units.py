"""Kubernetes' spellings of durations and amounts as numbers."""

import re
from fractions import Fraction

_DURATION = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
_AMOUNT = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def seconds(duration: str) -> float:
    """`1m30s` → 90.0."""
    return float(sum(int(count) * _DURATION[unit] for count, unit in re.findall(r"(\d+)(ms|s|m|h)", duration)))


def amount(quantity: str) -> Fraction:
    """`4Gi` → 4294967296, `500m` → 1/2."""
    number, unit = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", quantity).groups()  # type: ignore[union-attr]  # the schema's pattern holds
    return Fraction(number) / 1000 if unit == "m" else Fraction(number) * _AMOUNT[unit]


def human_bytes(count: int) -> str:
    """`78643200` → `75 MiB`, for people."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:  # noqa: PLR2004  # the step between binary units
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
