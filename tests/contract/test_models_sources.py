"""`whisper-models download` from wherever models may be, with the options that people and Jobs give."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.catalogue import lookup, lookup_auxiliary
from whisper_models.store import UnifiedModelManager

from tests.support.artifacts import import_checkpoint
from tests.support.hub import Hub, serve
from tests.support.weights import hf_folder

Download = Callable[..., "subprocess.CompletedProcess[str]"]
GGML = Variant("tiny.en", Format.GGML, Precision.Q5_0)


@pytest.fixture
def download(store: UnifiedModelManager) -> Download:
    def call(*words: str, command: str = "download") -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "whisper_models.cli", command, *words, "--root", str(store.root)]
        return subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)

    return call


def outcomes(ended: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Hub]:
    """A hub with tiny.en, an archive of it, something around transcription, and nothing ready-made."""
    repositories = tmp_path / "repositories"
    for name in ("openai", "our-team/dialect"):
        (repositories / name).mkdir(parents=True)
    (repositories / "openai" / "whisper-tiny.en").symlink_to(hf_folder("tiny.en"))
    with tarfile.open(repositories / "our-team" / "dialect" / "dialect.tar", "w", dereference=True) as archive:
        archive.add(hf_folder("tiny.en"), "dialect")
    silero = lookup_auxiliary("vad/silero")
    for file in silero.files:
        path = repositories / silero.repo / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"voice activity")
    with serve(repositories) as hub:
        yield hub


def test_a_checkpoint_comes_with_its_formats_and_what_is_around_it(download: Download, published: Hub) -> None:
    words = ["--models", "tiny.en,vad/silero", "--formats", "ctranslate2", "--endpoint", published.url]
    ended = download(*words, "--json")
    assert ended.returncode == 0, ended.stderr
    assert [(row["outcome"], row["model"], row["format"], row["precision"]) for row in outcomes(ended)] == [
        ("Ready", "tiny.en", "pytorch", "stored"),
        ("Ready", "tiny.en", "ctranslate2", "fp16"),
        ("Ready", "vad/silero", "auxiliary", "stored"),
    ]
    elsewhere = lookup("tiny.en").published(Format.CTRANSLATE2, Precision.FP16)
    assert elsewhere is not None
    assert (
        f"tiny.en ctranslate2 fp16 is converted here, since it is not to be had ready-made: {published.url}"
        in ended.stderr
    )
    assert elsewhere.repo in ended.stderr
    assert elsewhere.repo in outcomes(ended)[1]["converted_because"]

    published.requests.clear()
    again = outcomes(download(*words, "--json"))
    assert [row["digest"] for row in again] == [row["digest"] for row in outcomes(ended)]
    assert [row["converted_because"] is None for row in again] == [True, False, True]
    assert published.requests == []


def test_a_kind_is_all_of_its_kind_and_one_that_fails_keeps_none_from_coming(
    download: Download, published: Hub
) -> None:
    ended = download("--auxiliary", "vad", "--endpoint", published.url, "--json")
    assert ended.returncode == 1
    assert {row["model"]: row.get("reason") for row in outcomes(ended)} == {
        "vad/silero": None,
        "vad/silero-ggml": "NotFound",
    }


def test_an_archive_at_an_address_is_taken_for_its_sha256_alone(download: Download, published: Hub) -> None:
    content = (published.root / "our-team" / "dialect" / "dialect.tar").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    address = ["--models", "dialect", "--url", f"{published.url}/_stored/our-team/dialect/dialect.tar", "--json"]
    refused = download(*address, "--sha256", hashlib.sha256(b"another").hexdigest())
    assert (refused.returncode, outcomes(refused)[0]["reason"]) == (1, "ChecksumMismatch")
    taken = download(*address, "--sha256", sha256)
    assert taken.returncode == 0, taken.stderr
    assert outcomes(taken)[0]["revision"] == sha256
    assert download("dialect", command="verify").returncode == 0


def test_another_store_gives_its_variants_as_they_are(download: Download, tmp_path: Path) -> None:
    there = UnifiedModelManager(tmp_path / "claim")
    base = import_checkpoint(there, "tiny.en", hf_folder("tiny.en"))
    made = download("--models", "tiny.en", "--formats", "ggml", "--from", str(there.root), "--json")
    assert made.returncode == 0, made.stderr
    assert [row["format"] for row in outcomes(made)] == ["pytorch", "ggml"]
    assert outcomes(made)[0]["digest"] == base.digest
    assert "tiny.en ggml q5_0 is converted here" in made.stderr


def test_a_ready_made_variant_can_be_had_alone(download: Download, store: UnifiedModelManager, tmp_path: Path) -> None:
    assert download("--models", "tiny.en", "--from", str(hf_folder("tiny.en"))).returncode == 0
    assert download("--model", "tiny.en", "--format", "ggml", command="convert").returncode == 0
    words = ["--models", "tiny.en", "--format", "ggml", "--from", str(store.root), "--json"]
    line = [sys.executable, "-m", "whisper_models.cli", "download", *words, "--root", str(tmp_path / "elsewhere")]
    alone = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    assert alone.returncode == 0, alone.stderr
    assert [found.variant for found in UnifiedModelManager(tmp_path / "elsewhere").manifests()] == [GGML]

    nowhere = download("--models", "tiny.en", "--format", "onnx", "--endpoint", "http://127.0.0.1:9", "--json")
    assert (nowhere.returncode, outcomes(nowhere)[0]["reason"]) == (1, "NotFound")
    assert "--formats onnx" in nowhere.stderr


def test_authorities_that_cannot_be_read_are_named(download: Download, published: Hub, tmp_path: Path) -> None:
    words = ["--models", "tiny.en", "--endpoint", published.url, "--json", "--ca-bundle", str(tmp_path / "none.pem")]
    ended = download(*words)
    assert (ended.returncode, outcomes(ended)[0]["reason"]) == (1, "TlsFailed")
    assert "none.pem" in ended.stderr
