"""`whisper-models` as people and Jobs run it: a process, its streams, its exit code and its termination message."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.hub import Hub

DEADLINE = 300.0

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "whisper_models.cli", *arguments]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def run(root: Path) -> Run:
    def call(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = _command(command, *arguments, "--root", str(root))
        return subprocess.run(line, capture_output=True, text=True, timeout=DEADLINE, check=False)

    return call


def _last_word(log: Path) -> dict[str, Any]:
    content = log.read_text()
    assert len(content.encode()) <= 4096
    found: dict[str, Any] = json.loads(content)
    return found


def _lines(ended: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_download_convert_list_path_verify_tell_one_story(run: Run, hub: Hub, root: Path, tmp_path: Path) -> None:
    log = tmp_path / "termination-log"
    downloaded = run("download", "--models", "tiny.en", "--endpoint", hub.url, "--termination-log", str(log))
    assert downloaded.returncode == 0, downloaded.stderr
    assert _last_word(log) == {
        "outcome": "Ready",
        "model": "tiny.en",
        "format": "pytorch",
        "precision": "stored",
        "revision": "87c7102498dcde7456f24cfd30239ca606ed9063",
        "digest": _last_word(log)["digest"],
        "size_bytes": sum(path.stat().st_size for path in (root / "base/whisper-tiny.en").iterdir())
        - (root / "base/whisper-tiny.en/manifest.json").stat().st_size,
        "path": "base/whisper-tiny.en",
        "similarity": None,
        "threshold": None,
        "premade": None,
        "converted_because": None,
    }

    converted = run("convert", "--model", "whisper-tiny.en", "--precision", "int8", "--termination-log", str(log))
    assert converted.returncode == 0, converted.stderr
    assert _last_word(log)["path"] == "onnx/whisper-tiny.en/int8"

    listed = _lines(run("list", "--json"))
    assert [(row["format"], row["precision"]) for row in listed] == [("pytorch", "stored"), ("onnx", "int8")]
    folder = Path(run("path", "tiny.en").stdout.strip())
    assert (folder / "encoder.onnx").is_file()

    assert run("verify").returncode == 0
    with (folder / "decoder.weights").open("r+b") as weights:
        weights.seek(1_000_000)
        flipped = bytes([weights.read(1)[0] ^ 1])
        weights.seek(1_000_000)
        weights.write(flipped)
    verified = run("verify", "tiny.en")
    assert verified.returncode == 1
    assert "ChecksumMismatch" in verified.stderr
    assert "decoder.weights" in verified.stderr


@pytest.mark.parametrize(
    ("arguments", "reason", "retryable"),
    [
        (["download", "--models", "nano"], "UnknownModel", False),
        (["download", "--models", "tiny.en", "--repo", "o/none", "--revision", "main"], "NotFound", True),
        (["download", "--models", "tiny.en", "--token-file", "/none/token"], "AuthFailed", True),
        (["convert", "--model", "tiny.en"], "SourceMissing", True),
    ],
)
def test_a_failure_is_said_in_words_and_left_for_the_operator(
    run: Run, hub: Hub, tmp_path: Path, arguments: list[str], reason: str, retryable: object
) -> None:
    log = tmp_path / "termination-log"
    endpoint = ["--endpoint", hub.url] if arguments[0] == "download" else []
    ended = run(*arguments, *endpoint, "--termination-log", str(log))
    left = _last_word(log)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{reason}: ")
    assert "Traceback" not in ended.stderr
    assert (left["outcome"], left["reason"], left["retryable"]) == ("Failed", reason, retryable)
    assert left["message"] in ended.stderr


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not text"])
def test_a_token_file_that_holds_no_token_is_named(run: Run, hub: Hub, tmp_path: Path, content: bytes | None) -> None:
    token = tmp_path / "token"
    if content:
        token.write_bytes(content)
    refused = run("download", "--models", "tiny.en", "--endpoint", hub.url, "--token-file", str(token))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"AuthFailed: the token file {token} ")
    assert "Traceback" not in refused.stderr


def test_a_token_is_in_no_output_and_no_command_line(run: Run, hub: Hub, tmp_path: Path) -> None:
    hub.token = "hf_right"
    token = tmp_path / "token"
    token.write_text("hf_right\n")
    refused = run("download", "--models", "tiny.en", "--endpoint", hub.url)
    allowed = run("download", "--models", "tiny.en", "--endpoint", hub.url, "--token-file", str(token), "--json")
    assert refused.stderr.startswith("AuthFailed: ")
    assert allowed.returncode == 0
    assert "hf_right" not in refused.stderr + allowed.stdout + allowed.stderr


def test_wrong_usage_is_told_apart_from_failure(run: Run) -> None:
    assert run("download").returncode == 2
    assert run("download", "--models", "tiny,base", "--repo", "o/r").returncode == 2
    assert run("convert", "--model", "tiny", "--precision", "int3").returncode == 2


@pytest.mark.parametrize(
    "command", ["", "download", "convert", "optimize", "validate", "verify", "list", "path", "remove"]
)
def test_every_command_explains_itself(command: str) -> None:
    line = _command(*command.split(), "--help")
    told = subprocess.run(line, capture_output=True, text=True, timeout=DEADLINE, check=True).stdout
    assert "Exit codes" in told
    assert not command or f"  whisper-models {command} " in told.split("examples:")[1]
    assert told.isascii()  # or some terminals cannot show it


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _progress(port: int, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first answer for which `until` holds."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            answer: dict[str, Any] = httpx.get(f"http://127.0.0.1:{port}/progress", trust_env=False).json()
        except httpx.TransportError:
            answer = {}
        if answer and until(answer):
            return answer
        time.sleep(0.02)
    raise TimeoutError(f"no such progress within {DEADLINE} s")


@pytest.fixture
def slow(hub: Hub) -> Iterator[Hub]:
    hub.faults.replace([{"kind": "slow", "path": "*model.safetensors", "rate": 3_000_000}])
    yield hub
    hub.faults.replace([])


def test_a_job_serves_its_progress_and_ends_promptly_when_told(slow: Hub, run: Run, root: Path, tmp_path: Path) -> None:
    log, port = tmp_path / "termination-log", _free_port()
    job = ["--progress-port", str(port), "--termination-log", str(log)]
    line = _command("download", "--models", "tiny.en", "--endpoint", slow.url, "--root", str(root), *job)
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        seen = _progress(port, lambda answer: bool(answer["speed"]) and answer["bytes_done"] > 4_000_000)
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=60)[1]

    assert seen.keys() == {"stage", "bytes_done", "bytes_total", "speed", "eta", "file"}
    assert (seen["stage"], seen["file"]) == ("Downloading", "model.safetensors")
    assert seen["bytes_total"] > 70_000_000
    assert seen["eta"] > 0
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in told
    assert _last_word(log)["retryable"] is True
    assert _lines(run("list", "--json")) == []

    slow.faults.replace([])
    slow.requests.clear()
    assert run("download", "--models", "tiny.en", "--endpoint", slow.url).returncode == 0
    (continued,) = [request["range"] for request in slow.requests if request["path"].startswith("/_stored")]
    assert continued is not None


def test_one_model_that_fails_does_not_keep_the_others_from_coming(run: Run, hub: Hub, tmp_path: Path) -> None:
    log = tmp_path / "termination-log"
    both = run("download", "--models", "nano,tiny.en", "--endpoint", hub.url, "--json", "--termination-log", str(log))
    assert both.returncode == 1
    assert [json.loads(line)["outcome"] for line in both.stdout.splitlines()] == ["Failed", "Ready"]
    assert _last_word(log)["reason"] == "UnknownModel"


def test_what_is_below_the_threshold_is_there_and_told_apart(run: Run, hub: Hub, tmp_path: Path) -> None:
    log, variant = tmp_path / "termination-log", ["--model", "tiny.en", "--format", "ggml", "--precision", "q4_0"]
    assert run("download", "--models", "tiny.en", "--endpoint", hub.url).returncode == 0
    assert run("convert", *variant).returncode == 0
    clips = str(Path(__file__).parents[1] / "support" / "audio")
    strict = run("validate", *variant, "--samples", clips, "--threshold", "1", "--json", "--termination-log", str(log))
    assert strict.returncode == 3, strict.stderr
    left = _last_word(log)
    assert _lines(strict) == [left]
    assert left["outcome"] == "Unverified"
    assert 0 < left["similarity"] < left["threshold"] == 1
    assert "sample.wav" in left["message"]
    (listed,) = [row for row in _lines(run("list", "--json")) if row["format"] == "ggml"]
    assert (listed["similarity"], listed["threshold"]) == (left["similarity"], 1)

    lenient = run("validate", "--check-all", "--samples", clips, "--threshold", "0.5", "--json")
    assert lenient.returncode == 0
    assert [row["outcome"] for row in _lines(lenient)] == ["Ready", "Ready"]
