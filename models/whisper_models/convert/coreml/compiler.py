"""What only a Mac can do: `coremlc` makes of a package what CoreML loads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from whisper_models.errors import ConversionFailed, LibraryMissing

XCRUN = "xcrun"
SAID_AT_MOST = 500
"""Characters of what coremlc says, the last ones, which tell why."""


def compile_package(package: Path, target: Path) -> None:
    """Compile `NAME.mlpackage` to `NAME.mlmodelc` beside it.

    Raises:
        LibraryMissing: there is no `xcrun` here.
        ConversionFailed: coremlc ended with an error, or without the folder.
    """
    xcrun = shutil.which(XCRUN)
    if xcrun is None:
        raise LibraryMissing(
            f"{XCRUN} is not on the PATH: it runs coremlc, which compiles the CoreML encoder and comes with Xcode, "
            "on macOS only: install Xcode, then run the same command again"
        )
    command = [xcrun, "coremlc", "compile", str(package), str(target.parent)]
    run = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own paths
    if run.returncode or not target.is_dir():
        said = (run.stderr or run.stdout).decode(errors="replace").strip()[-SAID_AT_MOST:] or "it said nothing"
        raise ConversionFailed(
            f"coremlc made no {target.name} (exit status {run.returncode}: {said}): it comes with Xcode, not with the "
            "command line tools alone: see that `xcrun --find coremlc` finds it (else `sudo xcode-select --switch "
            "/Applications/Xcode.app`), then run the same command again"
        )
