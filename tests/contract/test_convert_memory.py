"""A conversion needs less memory than twice the checkpoint's size on disk, whatever the model weighs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from whisper_models.artifact import OFFERED, Format, Precision

from tests.support import shaped_checkpoint
from tests.support.conversion_memory import peak_bytes
from tests.support.coremlc import coremlc, put_xcrun
from tests.support.shaped_checkpoint import Sizes

VARIANTS = [
    *((form, precision) for form in (Format.ONNX, Format.CTRANSLATE2, Format.OPENVINO) for precision in OFFERED[form]),
    (Format.GGML, Precision.FP16),
    (Format.GGML, Precision.Q5_0),  # the others in blocks are made in the same way
]


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """As wide as large-v3 but with four layers: its largest matrix is a quarter of it, which is harder to bound."""
    yield from _written(tmp_path_factory.mktemp("short"), Sizes(layers=4))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield from _written(tmp_path_factory.mktemp("large"), Sizes())


def _written(folder: Path, sizes: Sizes) -> Iterator[Path]:
    yield shaped_checkpoint.write(folder, sizes)
    (folder / "model.safetensors").unlink()


def _require_bounded(source: Path, target: Path, form: Format, precision: Precision) -> None:
    size = (source / "model.safetensors").stat().st_size
    made_as = target / "ggml-large.bin" if form is Format.GGML else target
    peak, seconds = peak_bytes(form, precision, source, made_as)
    made = sum(path.stat().st_size for path in target.iterdir())
    for path in target.iterdir():
        path.unlink()
    print(f"{form} {precision}: {peak / size:.2f} of {size / 1e9:.2f} GB, {seconds:.1f} s, {made / 1e9:.2f} GB made")  # noqa: T201 - the measurement
    assert peak <= 2 * size


@pytest.mark.parametrize(("form", "precision"), VARIANTS)
def test_a_wide_model_converts_within_twice_its_size(
    short: Path, tmp_path: Path, form: Format, precision: Precision
) -> None:
    _require_bounded(short, tmp_path, form, precision)


@pytest.mark.long
@pytest.mark.parametrize(("form", "precision"), VARIANTS)
def test_large_v3_converts_within_twice_its_size(
    large: Path, tmp_path: Path, form: Format, precision: Precision
) -> None:
    _require_bounded(large, tmp_path, form, precision)


@pytest.mark.long
def test_the_coreml_encoder_of_large_v3_is_made_within_twice_its_own_size(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_xcrun(tmp_path / "bin", monkeypatch, coremlc())
    target = tmp_path / "ggml-large-encoder.mlmodelc"
    peak, seconds = peak_bytes(Format.COREML, Precision.FP16, large, target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"coreml fp16: {peak / size:.2f} of {size / 1e9:.2f} GB, {seconds:.1f} s")  # noqa: T201 - the measurement
    assert peak <= 2 * size
