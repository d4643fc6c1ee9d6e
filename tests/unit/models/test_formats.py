"""Every converter keeps the one Protocol; what its libraries lack is said by name."""

import sys

import pytest
from whisper_models.artifact import Format
from whisper_models.convert import coreml, ctranslate2, ggml, onnx, openvino
from whisper_models.convert.formats import CONVERTERS, Converter, converter_of
from whisper_models.errors import LibraryMissing

_ALL: tuple[Converter, ...] = (onnx, ggml, openvino, ctranslate2, coreml)
"""mypy compares each with the Protocol."""


def test_every_converter_that_is_named_is_compared_with_the_protocol() -> None:
    assert [converter_of(form) for form in CONVERTERS] == list(_ALL)


@pytest.mark.parametrize(
    ("form", "library", "extras"), [(Format.ONNX, "onnx", "tools"), (Format.COREML, "coremltools", "tools,coreml")]
)
def test_a_library_that_is_not_installed_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, form: Format, library: str, extras: str
) -> None:
    for name in [name for name in sys.modules if name.startswith(f"whisper_models.convert.{form}")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)  # as Python marks what cannot be imported
    with pytest.raises(LibraryMissing, match=rf"{form} needs the Python package {library}.*models\[{extras}\]"):
        converter_of(form)
