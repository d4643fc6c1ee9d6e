"""One tree for all models: where each kind of variant lies, and that no name leads to another's place."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_models.artifact import MODEL_NAME, OFFERED, Format, Precision, Variant
from whisper_models.errors import PathTaken, UnknownModel
from whisper_models.store import UnifiedModelManager
from whisper_models.store.layout import Place, location

from tests.unit.models.builders import AUXILIARY, EVERY_KIND, GGML, ONNX, file_of, published


@pytest.mark.parametrize(
    ("variant", "place"),
    [
        (Variant("large-v3", Format.CTRANSLATE2, Precision.INT8_FLOAT16), "ctranslate2/whisper-large-v3/int8_float16"),
        (Variant("base", Format.GGML, Precision.FP16), "ggml/ggml-base.bin"),
        (Variant("large-v3-turbo", Format.GGML, Precision.Q5_0), "ggml/ggml-large-v3-turbo-q5_0.bin"),
        (AUXILIARY, "phenome/vad/silero"),
    ],
    ids=str,
)
def test_each_kind_has_its_place(variant: Variant, place: str) -> None:
    assert str(location(variant)) == place


ALL = [
    Variant("vad/silero" if form is Format.AUXILIARY else "large-v3", form, precision)
    for form, precisions in OFFERED.items()
    for precision in precisions
]


@pytest.mark.parametrize("variant", ALL, ids=str)
def test_a_name_says_whose_it_is_whatever_lies_there(tmp_path: Path, variant: Variant) -> None:
    visible = tmp_path / location(variant)
    visible.parent.mkdir(parents=True)
    visible.symlink_to("nothing")
    store = UnifiedModelManager(tmp_path)
    assert store.manifests() == []
    assert list(store.unreadable()) == [variant]


@pytest.mark.parametrize("variant", EVERY_KIND, ids=str)
def test_every_kind_is_published_listed_read_and_removed(tmp_path: Path, variant: Variant) -> None:
    store = UnifiedModelManager(tmp_path)
    manifest = published(store, b"weights", variant)
    assert store.manifests() == [manifest]
    assert (store.path(variant) / file_of(variant)).read_bytes() == b"weights"
    assert store.complete(variant) == manifest
    assert store.damage(variant) == []
    store.remove(variant)
    assert list(tmp_path.iterdir()) == []


def test_a_ggml_model_is_the_file_that_users_of_whisper_cpp_look_for(tmp_path: Path) -> None:
    store = UnifiedModelManager(tmp_path)
    published(store, b"old", GGML)
    published(store, b"new", GGML)
    visible = tmp_path / "ggml/ggml-tiny.en-q5_0.bin"
    assert visible.read_bytes() == store.file(GGML).read_bytes() == b"new"
    assert not visible.readlink().is_absolute()
    assert store.file(GGML).name == store.file_name(GGML) == visible.name
    assert (store.path(GGML) / "manifest.json").is_file()


def test_only_ggml_is_one_file(tmp_path: Path) -> None:
    store = UnifiedModelManager(tmp_path)
    published(store)
    with pytest.raises(ValueError, match="folder of files"):
        store.file(ONNX)


@pytest.mark.parametrize("name", ["silero", "vad/", "/silero", "vad/../x", "vad/a/b", "../silero", "Vad/silero"])
def test_an_auxiliary_is_a_kind_and_a_name(name: str) -> None:
    with pytest.raises(UnknownModel):
        location(Variant(name, Format.AUXILIARY, Precision.STORED))


names = st.one_of(
    st.from_regex(MODEL_NAME, fullmatch=True),
    st.builds("{}{}".format, st.sampled_from(["a", "b"]), st.sampled_from(["-q5_0", "-q8_0", "-fp16", ".bin", ""])),
)
variants = st.one_of(
    st.builds(lambda name, form: Variant(name, form, OFFERED[form][0]), names, st.sampled_from(list(Format))),
    st.builds(Variant, names, st.just(Format.GGML), st.sampled_from(OFFERED[Format.GGML])),
)


@settings(deadline=None)
@given(variants, variants)
def test_no_two_variants_share_a_place(one: Variant, other: Variant) -> None:
    try:
        places = {location(one), location(other)}
    except UnknownModel:
        return
    assert len(places) == len({one, other})


@settings(deadline=None)
@given(names, names)
def test_what_is_hidden_belongs_to_one_variant(one: str, other: str) -> None:
    try:
        places = [Place(Path("root"), location(Variant.base(name))) for name in (one, other)]
    except UnknownModel:
        return
    hidden = [{place.immutable("a" * 12), place.making("key"), place.writer, place.pointer} for place in places]
    assert one == other or not hidden[0] & hidden[1]


def test_one_models_folders_are_not_taken_for_anothers(tmp_path: Path) -> None:
    """`tiny-0123456789ab` is a model's name too."""
    store = UnifiedModelManager(tmp_path)
    short, long = Variant.base("tiny"), Variant.base("tiny-0123456789ab")
    published(store, b"short", short)
    published(store, b"long", long)
    store.remove(short)
    assert [manifest.variant for manifest in store.manifests()] == [long]
    assert store.damage(long) == []


def test_a_file_that_somebody_else_put_there_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "ggml/ggml-tiny.en-q5_0.bin"
    theirs.parent.mkdir()
    theirs.write_bytes(b"theirs")
    store = UnifiedModelManager(tmp_path)
    assert store.manifests() == []
    with pytest.raises(PathTaken, match="move it away"):
        published(store, b"ours", GGML)
    with pytest.raises(PathTaken), store.writing(GGML, lambda: False):
        pass
    with pytest.raises(PathTaken):
        store.remove(GGML)
    assert theirs.read_bytes() == b"theirs"


@pytest.mark.parametrize("target", ["../../../outside", "/etc", ".int8", "int8"])
def test_a_name_that_leads_elsewhere_is_no_variant(tmp_path: Path, target: str) -> None:
    """Also where it leads out of the root to a sound variant, or to itself."""
    outside = UnifiedModelManager(tmp_path / "elsewhere")
    published(outside)
    outside.path(ONNX).rename(tmp_path / "outside")
    root = tmp_path / "root"
    (root / "onnx/whisper-tiny.en").mkdir(parents=True)
    (root / PurePosixPath("onnx/whisper-tiny.en/int8")).symlink_to(target)
    store = UnifiedModelManager(root)
    assert store.manifests() == []
    assert store.manifest(ONNX) is None
    assert list(store.unreadable()) == [ONNX]


def test_a_manifest_of_another_variant_makes_none(tmp_path: Path) -> None:
    store = UnifiedModelManager(tmp_path)
    published(store)
    published(store, b"weights", Variant("base", Format.ONNX, Precision.INT8))
    (tmp_path / "onnx/whisper-base").rename(tmp_path / "onnx/whisper-small")
    assert [manifest.model for manifest in store.manifests()] == ["tiny.en"]
    assert store.manifest(Variant("small", Format.ONNX, Precision.INT8)) is None
    assert store.unreadable() == {
        Variant(
            "small", Format.ONNX, Precision.INT8
        ): f"{tmp_path}/onnx/whisper-small/int8 leads to no readable manifest.json of that variant"
    }
