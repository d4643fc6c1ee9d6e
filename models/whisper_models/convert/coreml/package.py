"""The encoder as CoreML's package: one program, and its weights in a file beside it."""

from __future__ import annotations

import warnings
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.coreml.encoder import encoder_program
from whisper_models.convert.coreml.tools import coremltools


def write_package(checkpoint: WhisperCheckpoint, package: Path) -> None:
    """Write the folder `package`, which ends in `.mlpackage`.

    The program is written down as it is: it is made by hand, and coremltools' passes mend what was traced.

    Raises:
        UnsupportedCheckpoint: float16 cannot hold a number.
    """
    with redirect_stderr(StringIO()), warnings.catch_warnings():  # its progress bars; what goes wrong is raised
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves a temporary folder to the garbage collector
        coremltools.convert(
            encoder_program(checkpoint),
            convert_to="mlprogram",
            pass_pipeline=coremltools.PassPipeline.EMPTY,
            skip_model_load=True,  # it is loaded by whisper.cpp, and nowhere else
            package_dir=str(package),
        )
