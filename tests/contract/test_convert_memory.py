"""A conversion needs less memory than twice the checkpoint's size on disk, whatever the model weighs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from whisper_models.artifact import OFFERED, Format, Precision

from tests.support import shaped_checkpoint
from tests.support.conversion_memory import peak_bytes
from tests.support.shaped_checkpoint import Sizes

VARIANTS = [(form, precision) for form in (Format.ONNX, Format.CTRANSLATE2) for precision in OFFERED[form]]


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
    peak, seconds = peak_bytes(form, precision, source, target)
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
