"""Names people use, and pins that cannot move."""

import re
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_models.artifact import OFFERED, Format, Precision, Variant
from whisper_models.catalogue import AUXILIARIES, CATALOGUE, canonical, lookup, lookup_auxiliary
from whisper_models.catalogue.entries import LARGEST, CatalogueEntry, read_catalogue
from whisper_models.errors import UnknownModel
from whisper_models.store.layout import location, model_file

OURS = files("whisper_models").joinpath("catalogue", "models.toml").read_bytes()
PREMADE = [(entry, variant) for entry in CATALOGUE.values() for variant in entry.premade]


@pytest.mark.parametrize("name", ["tiny.en", "whisper-tiny.en"])
def test_a_model_is_found_by_its_short_and_its_long_name(name: str) -> None:
    assert lookup(name).repo == "openai/whisper-tiny.en"
    assert canonical(name) == "tiny.en"


@pytest.mark.parametrize(("asked", "near"), [("tiny-en", "tiny.en"), ("large-v3-turob", "large-v3-turbo")])
def test_a_misspelt_name_is_answered_with_the_nearest(asked: str, near: str) -> None:
    with pytest.raises(UnknownModel, match=re.escape(f"did you mean {near}")):
        lookup(asked)


def test_every_size_of_whisper_and_distil_whisper_is_there() -> None:
    sizes = ["tiny", "base", "small", "medium"]
    large = ["large", "large-v2", "large-v3", "large-v3-turbo"]
    distil = [f"distil-{size}" for size in ("small.en", "medium.en", "large-v2", "large-v3", "large-v3.5")]
    assert set(CATALOGUE) == {*sizes, *(f"{size}.en" for size in sizes), *large, *distil}


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_every_entry_can_be_a_folder_and_has_the_mel_bins_of_its_kind(entry: CatalogueEntry) -> None:
    assert location(Variant.base(entry.name)).name == f"whisper-{entry.name}"
    assert entry.english_only == entry.name.endswith(".en")
    assert entry.mel_bins == (128 if "large-v3" in entry.name else 80)


def test_only_multilingual_models_that_were_trained_to_translate_do() -> None:
    assert {name for name, entry in CATALOGUE.items() if entry.translates} == {
        "tiny",
        "base",
        "small",
        "medium",
        "large",
        "large-v2",
        "large-v3",
    }


def test_no_two_entries_share_a_pin_or_a_digest() -> None:
    assert len({entry.revision for entry in CATALOGUE.values()}) == len(CATALOGUE)
    digests = [digest for entry in CATALOGUE.values() for digest in entry.digests.values()]
    digests += [file.sha256 for _, variant in PREMADE for file in variant.files if file.sha256]
    assert len(digests) > 60
    assert len(set(digests)) == len(digests)


def test_what_was_published_ready_made_is_a_variant_under_the_name_that_its_engine_expects() -> None:
    for entry, variant in PREMADE:
        assert entry.published(variant.format, variant.precision) is variant
        assert variant.precision in OFFERED[variant.format]
        if variant.format is Format.GGML:
            expected = model_file(Variant(entry.name, variant.format, variant.precision))
            assert [file.name for file in variant.files] == [expected]
    assert {variant.format for _, variant in PREMADE} == {Format.GGML, Format.CTRANSLATE2, Format.OPENVINO}
    assert CATALOGUE["tiny"].published(Format.ONNX, Precision.INT8) is None


def test_each_kind_of_auxiliary_model_is_there_and_only_diarisation_is_gated() -> None:
    assert {name.partition("/")[0] for name in AUXILIARIES} == {
        "vad",
        "diarization",
        "alignment",
        "enhancement",
        "language",
    }
    assert [name for name, entry in AUXILIARIES.items() if entry.gated] == ["diarization/pyannote"]
    for name in AUXILIARIES:
        assert str(location(Variant(name, Format.AUXILIARY, Precision.STORED))) == f"phenome/{name}"


def test_the_kind_is_enough_where_there_is_one_of_it() -> None:
    assert lookup_auxiliary("diarization") == lookup_auxiliary("diarization/pyannote")
    with pytest.raises(UnknownModel, match="say which: vad/silero, vad/silero-ggml"):
        lookup_auxiliary("vad")
    with pytest.raises(UnknownModel, match="did you mean vad/silero"):
        lookup_auxiliary("vad/silerro")


WRONG = {
    "no TOML": (b"models = [", "not TOML"),
    "not text": (b"\xff\xfe", "not TOML"),
    "nested without end": (b"a = " + b"[" * 100_000, "not TOML"),
    "too large": (b"#" * (LARGEST + 1), "at most"),
    "a branch for a commit": (OURS.replace(b'"169d4a4341b33bc18d8881c4b69c2e104e1cc0af"', b'"main"', 1), "revision"),
    "a file outside": (OURS.replace(b'"onnx/model.onnx"', b'"../../onnx/model.onnx"', 1), "plain relative path"),
    "a name outside": (OURS.replace(b'"silero_vad.onnx"', b'"/etc/passwd"', 1), "plain relative path"),
    "a name that is none": (OURS.replace(b'"tiny"', b'"../tiny"', 1), "name"),
    "a name twice": (OURS.replace(b'name = "tiny.en"', b'name = "tiny"', 1), "more than once"),
    "a field nobody knows": (OURS.replace(b"mel_bins", b"mel_binz", 1), "mel_binz"),
    "a precision of another format": (OURS.replace(b'"q5_1"', b'"int4"', 1), "no variant"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_catalogue_that_is_wrong_is_refused_with_the_place(case: str) -> None:
    content, said = WRONG[case]
    with pytest.raises(ValueError, match=said) as refused:
        read_catalogue(content)
    assert len(str(refused.value)) < 500


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_a_catalogue_of_arbitrary_bytes_is_read_or_refused(content: bytes) -> None:
    try:
        read_catalogue(content)
    except ValueError:
        return


@settings(deadline=None, max_examples=60)
@given(at=st.integers(0, len(OURS) - 1), put=st.binary(max_size=4), cut=st.integers(0, 40))
def test_a_catalogue_with_a_few_bytes_changed_names_no_file_outside(at: int, put: bytes, cut: int) -> None:
    try:
        catalogue = read_catalogue(OURS[:at] + put + OURS[at + cut :])
    except ValueError:
        return
    listed = [file for entry in catalogue.auxiliaries for file in entry.files]
    listed += [file for entry in catalogue.models for variant in entry.premade for file in variant.files]
    for file in listed:
        assert ".." not in file.name.split("/")
        assert not file.name.startswith("/")


@pytest.mark.parametrize("repo", ["org", "org/", "-org/model", "örg/model", "org/model/more", f"org/{'m' * 97}"])
def test_what_cannot_be_a_repository_of_the_hub_is_refused(repo: str) -> None:
    sound = {"name": "own", "repo": "org/model_1.0-x", "revision": "0" * 40, "size_bytes": 1, "licence": "mit"}
    assert CatalogueEntry.model_validate(sound).repo == "org/model_1.0-x"
    with pytest.raises(ValueError, match="repo"):
        CatalogueEntry.model_validate(sound | {"repo": repo})
