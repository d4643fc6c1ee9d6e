"""Kubernetes' spellings of durations and amounts as numbers."""

import re
from fractions import Fraction
from functools import lru_cache

_DURATION = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
_AMOUNT = {
    unit: Fraction(1000) ** power for power, unit in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
} | {unit: Fraction(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
"""Also what no field of ours takes: live objects of others may have it."""


@lru_cache(maxsize=1024)
def seconds(duration: str) -> float:
    """`1m30s` → 90.0."""
    return float(sum(int(count) * _DURATION[unit] for count, unit in re.findall(r"(\d+)(ms|s|m|h)", duration)))


@lru_cache(maxsize=1024)
def amount(quantity: str) -> Fraction:
    """`4Gi` → 4294967296, `500m` → 1/2, `1e3` → 1000."""
    found = re.fullmatch(r"([+-]?[0-9.]+)(?:([eE][+-]?[0-9]{1,2})|([a-zA-Z]*))", quantity)
    if found is None or (found[3] or "") not in _AMOUNT:
        raise ValueError(f"{quantity!r} is no amount as Kubernetes writes it")
    return Fraction(found[1] + (found[2] or "")) * _AMOUNT[found[3] or ""]


def human_bytes(count: int) -> str:
    """`78643200` → `75 MiB`, for people."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:  # noqa: PLR2004  # the step between binary units
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
