"""What every conversion has in common, and who makes which format.

A converter is a module with the members of `Converter`. It is imported when its format is asked for, so that a format
needs no more than its own libraries.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from whisper_models.artifact import Format, Precision
from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.errors import LibraryMissing

Say = Callable[[str], None]
"""Hears the name of each file as it is begun."""


class Converter(Protocol):
    """Turns a published checkpoint into one format; module-level names, so a package is one."""

    @property
    def RECIPE(self) -> str:  # noqa: N802 - a module's constant
        """Changes when the files that are made change; variants of an older recipe are made again."""
        ...

    @property
    def TOOLS(self) -> tuple[str, ...]:  # noqa: N802 - the same
        """The distributions whose versions the manifest records."""
        ...

    def bytes_needed(self, source: Path, precision: Precision) -> int:
        """About how much space the variant takes while it is made, rounded up."""
        ...

    def convert(self, source: Path, target: Path, precision: Precision, say: Say) -> None:
        """Write the checkpoint in `source`, laid out as published, into the empty folder `target`.

        A format that whisper.cpp finds by name writes the file or the folder `target` instead.

        Raises:
            UnsupportedCheckpoint, Incomplete: as `open_checkpoint` says.
        """
        ...

    def check(self, target: Path, checkpoint: WhisperCheckpoint) -> None:
        """Read back what `convert` wrote.

        Raises:
            ConversionFailed: naming the file and what is wrong with it.
        """
        ...


CONVERTERS: Mapping[Format, str] = MappingProxyType(
    {
        Format.ONNX: "whisper_models.convert.onnx",
        Format.GGML: "whisper_models.convert.ggml",
        Format.OPENVINO: "whisper_models.convert.openvino",
        Format.CTRANSLATE2: "whisper_models.convert.ctranslate2",
        Format.COREML: "whisper_models.convert.coreml",
    }
)
"""The module that makes a format."""
TOOLS = "tools"
EXTRAS: Mapping[Format, str] = MappingProxyType({Format.COREML: f"{TOOLS},coreml"})
"""What to install for a format, where TOOLS do not do."""


def converter_of(form: Format) -> Converter:
    """The converter of one of CONVERTERS.

    Raises:
        LibraryMissing: a library that it needs is not installed.
    """
    try:
        return cast("Converter", importlib.import_module(CONVERTERS[form]))
    except ModuleNotFoundError as error:
        raise LibraryMissing(
            f"converting to {form} needs the Python package {error.name}, which is not installed here: "
            f"pip install 'whisper-models[{EXTRAS.get(form, TOOLS)}]'"
        ) from error
