"""No byte that differs from what was published is served."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.runtime.process import COMMAND, answers, free_port, model_flags
from tests.contract.runtime.service import MODEL
from tests.support.artifacts import onnx_store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of its own, to be damaged."""
    root = tmp_path / "store"
    shutil.copytree(onnx_store(MODEL) / "onnx", root / "onnx", symlinks=True)
    return root


def variant_of(store: Path) -> Path:
    return (store / "onnx" / f"whisper-{MODEL}" / "int8").resolve()


def flip(file: Path) -> None:
    """One bit, in the middle."""
    at = file.stat().st_size // 2
    with file.open("r+b") as opened:
        byte = os.pread(opened.fileno(), 1, at)[0]
        os.pwrite(opened.fileno(), bytes([byte ^ 1]), at)


def serve_until_its_end(store: Path, word: Path) -> tuple[int, list[int | None], str]:
    """Its exit status, what /readyz said meanwhile, and what it wrote."""
    port = free_port()
    command = [*COMMAND, "serve", *model_flags(store), "--port", str(port), "--termination-log", str(word)]
    log = word.with_name("log")  # a pipe that nobody reads meanwhile would be full at some time
    with log.open("w") as out, subprocess.Popen(command, stderr=out) as running:
        try:
            said = []
            while running.poll() is None:
                said.append(answers(f"http://127.0.0.1:{port}/readyz"))
            return running.wait(), said, log.read_text()
        finally:
            running.kill()


@pytest.mark.parametrize("name", ["decoder.weights", "encoder.onnx", "tokenizer.json"])
def test_a_flipped_bit_ends_the_process_before_it_is_ready_and_names_the_file(
    store: Path, tmp_path: Path, name: str
) -> None:
    word = tmp_path / "termination-log"
    word.touch()
    flip(variant_of(store) / name)
    status, said, log = serve_until_its_end(store, word)
    assert status == 1
    assert set(said) <= {None, 503}
    assert 503 in said, "it told while it lasted"
    reason = word.read_text()
    assert reason.startswith(f"ChecksumMismatch: {variant_of(store) / name} is not the file that was published")
    assert reason.endswith("download or convert it again, which mends it\n")
    assert "ChecksumMismatch" in log


def test_a_file_of_another_size_ends_it_before_it_listens(store: Path, tmp_path: Path) -> None:
    (variant_of(store) / "decoder.onnx").write_bytes(b"")
    word = tmp_path / "termination-log"
    word.touch()
    status, said, _ = serve_until_its_end(store, word)
    assert (status, set(said)) == (1, {None})
    assert word.read_text().startswith("Incomplete: ")


def test_files_at_hand_are_not_transcribed_with_a_damaged_model(store: Path) -> None:
    flip(variant_of(store) / "encoder.onnx")
    done = subprocess.run(
        [*COMMAND, "transcribe", *model_flags(store), "/dev/null"], capture_output=True, check=False, text=True
    )
    assert done.returncode == 1
    assert "encoder.onnx is not the file that was published" in done.stderr
    assert done.stdout == ""
