"""Speech is nobody else's business, and neither is that somebody transcribes it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.contract.runtime.service import MODEL
from tests.support.artifacts import onnx_store

LOAD = "import sys; from whisper_cpu.engine import load; load(sys.argv[1])"


def test_onnx_runtime_makes_no_identity_to_report_under(tmp_path: Path) -> None:
    folder = onnx_store(MODEL) / "onnx" / f"whisper-{MODEL}" / "int8"
    bare = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(tmp_path),
        "HOME": str(tmp_path),
    }  # it keeps still where CI is set
    subprocess.run([sys.executable, "-c", LOAD, str(folder)], env=bare, check=True)
    assert list(tmp_path.rglob("*")) == []
