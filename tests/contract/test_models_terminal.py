"""`whisper-models` as a person meets it: in a terminal that is pulled at, with Ctrl-C, and with questions."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub import Hub
from tests.support.terminal import terminal

COMMAND = [sys.executable, "-m", "whisper_models.cli"]


@pytest.fixture
def slow(hub: Hub) -> Iterator[Hub]:
    hub.faults.replace([{"kind": "slow", "path": "*model.safetensors", "rate": 3_000_000}])
    yield hub
    hub.faults.replace([])


def test_a_download_shows_a_bar_as_wide_as_the_terminal_stops_at_ctrl_c_and_goes_on(slow: Hub, tmp_path: Path) -> None:
    download = [*COMMAND, "download", "--models", "tiny.en", "--endpoint", slow.url, "--root", str(tmp_path)]
    with terminal(download, columns=120) as screen:
        first = screen.shows(r"Downloading model\.safetensors ━+.* \d+ of 78 MB, [\d.]+ MB/s")
        assert max(map(len, screen.rows())) <= 120
        screen.resize(40)
        narrow = screen.shows(r"\n?[^\r\n]*… +\d+ of 78 MB", since=first)
        screen.shows(r"\d+ of 78 MB", since=narrow)
        assert max(map(len, screen.rows(since=narrow)[1:])) <= 40
        screen.press("\x03")
        assert screen.ended() == 130
        assert "run the same command again" in screen.rows()[-1]
        assert "Traceback" not in screen.text()
        assert screen.raw().count("\x1b[?25l") == screen.raw().count("\x1b[?25h") == 1  # the cursor is back

    slow.faults.replace([])
    with terminal(download, columns=120) as screen:
        assert screen.ended() == 0
        assert screen.rows()[-1].split() == [
            "tiny.en",
            "pytorch",
            "stored",
            "78",
            "MB",
            f"{tmp_path}/base/whisper-tiny.en",
        ]
    weights = [request for request in slow.requests if request["path"].startswith("/_stored")]
    assert weights[-1]["range"] is not None


def test_results_can_be_taken_from_stdout_while_the_bar_is_on_the_terminal(hub: Hub, tmp_path: Path) -> None:
    result = tmp_path / "result"
    words = f"download --models tiny.en --formats onnx --endpoint {hub.url} --root {tmp_path}/models"
    line = f"{sys.executable} -m whisper_models.cli {words} > {result}"
    with terminal(["sh", "-c", line], columns=120) as screen:
        assert screen.ended() == 0
        assert "[2/2] tiny.en onnx int8: Optimizing" in screen.text()
        assert "2 of 2 done" in screen.rows()[-1]
    rows = [row.split() for row in result.read_text().splitlines()]
    assert [row[1] for row in rows] == ["pytorch", "onnx"]
    size = " ".join(rows[1][3:5])
    assert re.fullmatch(r"\d+ MB", size)
    assert "\x1b" not in result.read_text()

    remove = [*COMMAND, "remove", "tiny.en", "--format", "onnx", "--root", str(tmp_path / "models")]
    with terminal(remove, columns=120) as screen:
        screen.shows(r"Go on\? \[y/N\]")
        screen.press("n\n")
        assert screen.ended() == 1
        assert "Nothing was removed." in screen.text()
    with terminal(remove, columns=120) as screen:
        screen.shows(rf"removes tiny\.en onnx int8 \({size}\).*Go on\? \[y/N\]")
        screen.press("y\n")
        assert screen.ended() == 0
        assert f"{size} freed" in screen.rows()[-1]
