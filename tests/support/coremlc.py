"""A command that stands for `xcrun` where there is none: it leaves behind what `coremlc` would, and no more."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

SCRIPT = """\
#!{python}
import pathlib, shutil, sys
tool, verb, package, folder = sys.argv[1:]
assert (tool, verb) == ("coremlc", "compile"), sys.argv
package = pathlib.Path(package)
compiled = pathlib.Path(folder, package.stem + ".mlmodelc")
data = package / "Data/com.apple.CoreML"
shutil.copytree(data / "weights", compiled / "weights")
{halfway}
shutil.copyfile(data / "model.mlmodel", compiled / "model.mil")
(compiled / "coremldata.bin").write_bytes(b"as coremlc makes it")
"""


def coremlc(*, halfway: str = "") -> str:
    """The command; `halfway`, a statement, is done once the weights are there and nothing else is."""
    return SCRIPT.format(python=sys.executable, halfway=halfway)


def put_xcrun(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Make a folder with a command of that name the first on the PATH."""
    folder.mkdir(exist_ok=True)
    (folder / "xcrun").write_text(script)
    (folder / "xcrun").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
