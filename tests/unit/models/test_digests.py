"""Digests of a file that comes in blocks of any size."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_models.download.digests import Digests
from whisper_models.download.selection import RemoteFile

LARGE = bytes(range(256)) * (5 << 12)


def git(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


@settings(max_examples=20)
@given(st.lists(st.integers(1, 3 << 20), max_size=8))
def test_they_are_those_of_the_whole(ends: list[int]) -> None:
    whole = RemoteFile("model.safetensors", len(LARGE), sha256=hashlib.sha256(LARGE).hexdigest())
    small = RemoteFile("config.json", len(LARGE), git_sha1=git(LARGE))
    for file in (whole, small):
        digests, marks = Digests(file), sorted({0, *ends, len(LARGE)})
        for begin, end in pairwise(marks):
            digests.update(LARGE[begin:end])
        assert digests.sha256 == whole.sha256
        assert digests.as_published()
        digests.update(b"one more")
        assert not digests.as_published()


@pytest.mark.parametrize("size", [1, len(LARGE)])
def test_what_came_before_a_restart_does_not_count(size: int) -> None:
    digests = Digests(RemoteFile("config.json", 3, git_sha1=git(b"new")))
    digests.update(LARGE[:size])
    digests.restart()
    digests.update(b"new")
    assert digests.as_published()
    assert digests.sha256 == hashlib.sha256(b"new").hexdigest()
