"""Every converter keeps the one Protocol; what its libraries lack is said by name."""

import sys

import pytest
from whisper_models.artifact import Format
from whisper_models.convert import ctranslate2, ggml, onnx, openvino
from whisper_models.convert.formats import CONVERTERS, Converter, converter_of
from whisper_models.errors import LibraryMissing

_ALL: tuple[Converter, ...] = (onnx, ggml, openvino, ctranslate2)
"""mypy compares each with the Protocol."""


def test_every_converter_that_is_named_is_compared_with_the_protocol() -> None:
    assert [converter_of(form) for form in CONVERTERS] == list(_ALL)


def test_a_library_that_is_not_installed_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("whisper_models.convert.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)  # as Python marks what cannot be imported
    with pytest.raises(LibraryMissing, match=r"onnx needs the Python package onnx.*whisper-models\[tools\]"):
        converter_of(Format.ONNX)
