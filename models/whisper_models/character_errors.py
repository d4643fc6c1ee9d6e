"""How far one text is from another, in characters: what validation and a runtime's readiness are both measured by.

The usual library would be larger than most of what a runtime's image holds, for texts of a few hundred characters.
"""

from __future__ import annotations


def character_error_rate(expected: str, heard: str) -> float:
    """How many characters to insert, delete or replace to turn one into the other, for each that is expected."""
    if not expected:
        return float(bool(heard))
    return _distance(expected, heard) / len(expected)


def _distance(one: str, other: str) -> int:
    """Levenshtein's, row by row."""
    above = list(range(len(other) + 1))
    for number, mine in enumerate(one, start=1):
        row = [number]
        for place, theirs in enumerate(other):
            row.append(min(above[place] + (mine != theirs), above[place + 1] + 1, row[place] + 1))
        above = row
    return above[-1]
