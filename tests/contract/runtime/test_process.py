"""`whisper-cpu` as a process: it serves, drains on SIGTERM, ends with 0, and transcribes files."""

import json
import signal
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from tests.contract.runtime.process import COMMAND, model_flags, process
from tests.contract.runtime.service import TIMEOUT, long_speech
from tests.support.waiting import wait_until
from tests.support.words import JFK, JFK_WORDS, word_errors


def test_sigterm_finishes_what_is_in_flight_refuses_the_rest_and_ends_with_0() -> None:
    with process() as (running, url):
        answers: list[httpx.Response] = []
        upload = {"file": long_speech()}
        sending = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{url}/transcribe", files=upload, timeout=TIMEOUT))
        )
        sending.start()
        busy = lambda: httpx.get(f"{url}/health", timeout=TIMEOUT).json()["queue"]["depth"] == 1  # noqa: E731 - a condition
        wait_until(busy, within=TIMEOUT, every=0.01, what="a request is in flight")
        running.send_signal(signal.SIGTERM)
        draining = lambda: httpx.get(f"{url}/readyz", timeout=TIMEOUT).status_code == 503  # noqa: E731 - a condition
        wait_until(draining, within=TIMEOUT, every=0.01, what="draining")
        refused = httpx.post(f"{url}/transcribe", files={"file": JFK.read_bytes()}, timeout=TIMEOUT)
        sending.join(TIMEOUT)
        assert running.wait(60) == 0
        assert running.stderr is not None
        lines = [json.loads(line) for line in running.stderr.read().splitlines()]
    assert answers[0].status_code == 200
    assert answers[0].json()["text"]
    assert refused.json()["error"]["code"] == "draining"
    served = [line for line in lines if line.get("path") == "/transcribe" and line["status"] == 200]
    assert served[0]["request_id"] == answers[0].headers["x-request-id"]
    assert not any("hello" in json.dumps(line).lower() for line in lines), "no transcript in the log"


def test_an_idle_process_ends_at_once() -> None:
    with process() as (running, _):
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0


def test_transcribe_prints_text_and_json_with_words() -> None:
    done = subprocess.run(
        [*COMMAND, "transcribe", *model_flags(), "--json", "--words", str(JFK)], capture_output=True, check=True
    )
    result = json.loads(done.stdout)
    assert word_errors(JFK_WORDS, result["text"]) == 0
    assert len(result["words"]) == 22


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_transcribed(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no audio")
    command = [*COMMAND, "transcribe", *model_flags(), str(tmp_path / "text"), str(tmp_path / "none"), str(JFK)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert word_errors(JFK_WORDS, done.stdout) == 0
    assert "text: this is not an audio format" in done.stderr
    assert "none: " in done.stderr


@pytest.mark.parametrize(("number", "says"), [(signal.SIGTERM, "Terminated"), (signal.SIGINT, "Interrupt")])
def test_a_transcription_that_is_told_to_stop_does_not_end_as_if_it_was_done(
    tmp_path: Path, number: signal.Signals, says: str
) -> None:
    (tmp_path / "long.wav").write_bytes(long_speech())
    command = [*COMMAND, "transcribe", *model_flags(), str(JFK), *[str(tmp_path / "long.wav")] * 20]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert word_errors(JFK_WORDS, running.stdout.readline()) == 0
        running.send_signal(number)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert said.splitlines()[-1] == says


@pytest.mark.parametrize(
    ("flags", "status", "says"),
    [
        (["--port", "high"], 2, "--port"),
        (["--precision", "int9"], 2, "int9"),
        (["--models", "/nowhere"], 1, "/nowhere"),
        (["--model", "enormous"], 1, "enormous"),
    ],
)
def test_what_cannot_be_served_ends_with_a_sentence(flags: list[str], status: int, says: str) -> None:
    command = [*COMMAND, "serve", *model_flags(), *flags]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == status
    assert done.stderr.startswith("whisper-cpu: ")
    assert says in done.stderr
