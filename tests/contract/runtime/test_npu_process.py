"""`whisper-npu` as a process: it compiles ahead, survives the process of its device, and leaves none behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.contract.runtime.process import process
from tests.contract.runtime.service import MODEL
from tests.support.artifacts import openvino_store
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors

COMMAND = [str(Path(sys.executable).with_name("whisper-npu"))]
CLIP = {"file": JFK.read_bytes()}


def flags(cache: Path) -> list[str]:
    store = str(openvino_store(MODEL))
    return ["--models", store, "--model", MODEL, "--threads", "1", "--compile-cache", str(cache)]


def run(action: str, cache: Path, *more: str, order: str = "CPU") -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, action, *flags(cache), "--device-order", order, *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def children(pid: int) -> list[int]:
    """Of all its threads: a device's process is started by a thread of inference."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


def alive(pid: int) -> bool:
    """Running, and not merely waiting for its parent to ask how it ended."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_compile_ends_when_the_first_device_that_works_is_ready(tmp_path: Path) -> None:
    made = run("compile", tmp_path, order="GPU.7,CPU")
    assert made.returncode == 0, made.stderr
    reason = "GPU.7: OpenVINO finds CPU here: is the driver of GPU.7 installed?"
    assert made.stdout.startswith(f"tiny.en int8 for CPU ({reason}): nothing is kept")


def test_transcribe_prints_the_words_of_a_file(tmp_path: Path) -> None:
    done = run("transcribe", tmp_path, "--json", "--words", str(JFK))
    result = json.loads(done.stdout)
    assert word_errors(JFK_WORDS, result["text"]) == 0
    assert len(result["words"]) == 22
    assert result["device"] == {"requested": "CPU", "used": "CPU", "fallback_reason": None}


def test_compile_says_what_it_lacks(tmp_path: Path) -> None:
    store = str(openvino_store(MODEL))
    done = subprocess.run(
        [*COMMAND, "compile", "--models", store, "--model", MODEL], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2,
        "whisper-npu: compile needs --compile-cache: the folder that keeps the compiled model\n",
    )
    none = run("compile", tmp_path, order="NPU,GPU.7")
    assert (none.returncode, none.stdout) == (1, "")
    assert "NPU: OpenVINO finds CPU here" in none.stderr
    assert "GPU.7: OpenVINO finds CPU here" in none.stderr


def test_a_killed_device_process_costs_no_answer_and_none_outlives_the_runtime(tmp_path: Path) -> None:
    with process(*flags(tmp_path), command=COMMAND) as (running, url):
        assert httpx.get(f"{url}/health", timeout=60).json()["device"]["used"] == "CPU"
        (child,) = children(running.pid)
        os.kill(child, signal.SIGKILL)
        answer = httpx.post(f"{url}/transcribe", files=CLIP, timeout=120)
        assert answer.status_code == 200
        assert word_errors(JFK_WORDS, answer.json()["text"]) == 0
        assert answer.json()["device"]["used"] == "CPU"
        (another,) = children(running.pid)
        assert another != child
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
        wait_until(lambda: not alive(another), within=60, every=0.05, what="the device's process has ended")


def test_a_runtime_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    with process(*flags(tmp_path), command=COMMAND) as (running, _):
        (child,) = children(running.pid)
        running.kill()
        running.wait(30)
        wait_until(lambda: not alive(child), within=60, every=0.05, what="the device's process has ended")
