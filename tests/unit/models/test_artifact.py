"""Identity and limits of what a manifest says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from whisper_models.artifact import FileEntry, Format, Manifest, Precision, Source, Variant, digest_of

ENTRY = FileEntry(path="a/b.json", size=3, sha256="0" * 64)
SOURCE = Source(repo="openai/whisper-tiny.en", revision="0" * 40, endpoint="http://hub")

entries = st.builds(
    FileEntry,
    path=st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True),
    size=st.integers(0, 2**40),
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
)


@settings(deadline=None)
@given(st.lists(entries, max_size=6, unique_by=lambda entry: entry.path), st.randoms())
def test_the_digest_does_not_depend_on_the_order_of_files(files: list[FileEntry], random: object) -> None:
    shuffled = list(files)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    assert digest_of(shuffled) == digest_of(files)


@settings(deadline=None)
@given(st.lists(entries, min_size=1, max_size=6, unique_by=lambda entry: entry.path))
def test_the_digest_changes_with_any_byte(files: list[FileEntry]) -> None:
    first = files[0]
    flipped = first.model_copy(update={"sha256": first.sha256[::-1][:-1] + ("1" if first.sha256[0] == "0" else "0")})
    assert digest_of([flipped, *files[1:]]) != digest_of(files)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a//b", "./a", "", "a\\b"])
def test_a_file_never_lies_outside_its_variant(path: str) -> None:
    with pytest.raises(ValidationError):
        FileEntry(path=path, size=1, sha256="0" * 64)


def test_a_manifest_survives_being_written_and_read() -> None:
    variant = Variant("tiny.en", Format.ONNX, Precision.INT8)
    manifest = Manifest.describing(variant, [ENTRY], source=SOURCE, tools={"recipe": "1"}, made_from="sha256:1")
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest
    assert (manifest.variant, manifest.size_bytes) == (variant, 3)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_a_manifest_of_arbitrary_bytes_is_refused_not_crashed_on(content: bytes) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate_json(content)
