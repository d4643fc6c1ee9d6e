"""The tree of failures is the vocabulary of statuses: what is drawn is what there is."""

import errno
import re
from pathlib import Path

import pytest
from whisper_models import errors
from whisper_models.errors import ModelFailure, from_os_error

PERMANENT = {
    "ModelFailure",
    "UnknownModel",
    "UnsupportedCheckpoint",
    "UnverifiedModel",
    "UnusableSource",
}


def _descendants(kind: type[ModelFailure]) -> list[type[ModelFailure]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _descendants(child))]


def test_the_tree_at_the_top_draws_every_failure() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or "")) | {"ModelFailure"}
    assert drawn == {kind.__name__ for kind in _descendants(ModelFailure)}


@pytest.mark.parametrize("kind", _descendants(ModelFailure), ids=lambda kind: kind.__name__)
def test_only_what_no_waiting_cures_is_not_retryable(kind: type[ModelFailure]) -> None:
    assert kind.retryable is (kind.__name__ not in PERMANENT)
    assert kind("what, where, what to do").reason == kind.__name__


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "DiskFull"),
        (errno.EDQUOT, "DiskFull"),
        (errno.EROFS, "ReadOnlyVolume"),
        (errno.EACCES, "PermissionDenied"),
        (errno.EPERM, "PermissionDenied"),
        (errno.EIO, "Incomplete"),
    ],
)
def test_trouble_with_the_volume_has_a_name_and_says_where(number: int, reason: str) -> None:
    failure = from_os_error(OSError(number, "said the kernel", "/models/base/x"), Path("/models"))
    assert failure.reason == reason
    assert "/models/base/x" in failure.message
