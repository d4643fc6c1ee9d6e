"""Without a network, what is there already serves, lists, verifies, converts, and is taken over by others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.store import UnifiedModelManager

from tests.support.artifacts import import_checkpoint
from tests.support.no_network import run_alone
from tests.support.weights import hf_folder
from tests.support.words import JFK_WORDS, word_errors

TELLING = """
import sys

def tell(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        print("NETWORK", event, arguments, file=sys.stderr)

sys.addaudithook(tell)  # whoever asks Python for a socket; what asks the kernel itself, finds no network either
from whisper_models.cli import main
sys.exit(main(sys.argv[1:]))
"""
SERVING = """
import httpx
from tests.contract.runtime.process import process
from tests.support.words import JFK

with process() as (_, url):
    print(httpx.post(f"{url}/transcribe", files={"file": JFK.read_bytes()}, timeout=60).json()["text"])
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the checkpoint of tiny.en, as a download leaves it."""
    root = tmp_path_factory.mktemp("offline") / "models"
    import_checkpoint(UnifiedModelManager(root), "tiny.en", hf_folder("tiny.en"))
    return root


def _run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run_alone([sys.executable, "-c", TELLING, *words, "--root", str(root)])


CONVERSIONS = [
    Variant("tiny.en", Format.ONNX, Precision.INT8),
    Variant("tiny.en", Format.GGML, Precision.Q5_0),
    Variant("tiny.en", Format.CTRANSLATE2, Precision.INT8),
    Variant("tiny.en", Format.OPENVINO, Precision.FP16),
]


def test_a_model_that_is_there_converts_verifies_and_is_listed_and_nobody_is_told(root: Path) -> None:
    """Told: OpenVINO's own tools would report each run to their makers, where there is a network."""
    for variant in CONVERSIONS:
        words = ("--model", variant.model, "--format", variant.format, "--precision", variant.precision)
        converted = _run(root, "convert", *words)
        assert converted.returncode == 0, converted.stderr
        assert "NETWORK" not in converted.stderr
    verified = _run(root, "verify")
    assert verified.returncode == 0, verified.stderr
    listed = [json.loads(line) for line in _run(root, "list", "--json").stdout.splitlines()]
    there = {Variant(row["model"], Format(row["format"]), Precision(row["precision"])) for row in listed}
    assert there == {Variant.base("tiny.en"), *CONVERSIONS}
    assert str(root) in _run(root, "path", "tiny.en", "--format", "ggml", "--precision", "q5_0").stdout


def test_a_download_that_is_finished_asks_nobody(root: Path) -> None:
    again = _run(root, "download", "--models", "tiny.en")
    assert again.returncode == 0, again.stderr
    assert "NETWORK" not in again.stderr


def test_a_download_that_needs_the_network_says_that_it_is_gone_and_harms_nothing(root: Path) -> None:
    missing = _run(root, "download", "--models", "base")
    assert missing.returncode != 0
    assert "NETWORK" in missing.stderr
    assert "HubUnreachable" in missing.stderr or "DnsFailed" in missing.stderr
    assert UnifiedModelManager(root).damage(Variant.base("tiny.en")) == []


def test_a_runtime_serves() -> None:
    served = run_alone([sys.executable, "-c", SERVING], loopback=True)
    assert served.returncode == 0, served.stderr
    assert word_errors(JFK_WORDS, served.stdout) == 0


def test_there_is_no_network_here_indeed() -> None:
    interfaces = run_alone(["ip", "-brief", "address"])
    assert interfaces.returncode == 0, interfaces.stderr
    assert [line.split()[:2] for line in interfaces.stdout.splitlines()] == [["lo", "DOWN"]]


def test_a_store_fills_another_one(root: Path, tmp_path: Path) -> None:
    taken = _run(tmp_path / "other", "download", "--models", "tiny.en", "--from", str(root))
    assert taken.returncode == 0, taken.stderr
    assert "NETWORK" not in taken.stderr
    assert UnifiedModelManager(tmp_path / "other").damage(Variant.base("tiny.en")) == []
