"""What a person sees while waiting: as wide as the terminal is at that moment, and plain lines where there is none."""

import io
import re
import threading
from collections.abc import Callable

import pytest
from whisper_models import narration
from whisper_models.narration import figures, headline, narrated
from whisper_models.progress import Progress, Snapshot, Stage

from tests.support.waiting import wait_until

DOWNLOADING = Snapshot(Stage.DOWNLOADING, 31_000_000, 78_000_000, 24_100_000.0, 2.2, "model.safetensors")
RESOLVING = Snapshot(Stage.RESOLVING, 0, None, None, None, None)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_known_is_said_and_nothing_else() -> None:
    assert headline("base", DOWNLOADING) == "base: Downloading model.safetensors"
    assert figures(DOWNLOADING) == "31 of 78 MB, 24.1 MB/s, 2 s left"
    assert headline("base", RESOLVING) == "base: Resolving"
    assert figures(RESOLVING) == ""


@pytest.mark.parametrize(
    ("seconds", "said"), [(59.4, "59 s left"), (90, "2 min left"), (3600, "1 h 0 min left"), (9000, "2 h 30 min left")]
)
def test_time_left_is_said_in_units_that_people_use(seconds: float, said: str) -> None:
    assert figures(Snapshot(Stage.DOWNLOADING, 0, None, None, seconds, None)) == said


@pytest.fixture
def progress() -> Progress:
    found = Progress()
    found.begin(Stage.DOWNLOADING, 78_000_000, 31_000_000)
    found.file("model.safetensors")
    return found


def drawn(out: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_a_bar_is_never_wider_than_the_terminal(
    progress: Progress, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with narrated("[2/7] base openvino int8", progress, out):
        wait_until(lambda: drawn(out), within=60, what="a first picture")
    rows = [row for row in re.split(r"[\r\n]", drawn(out)) if row]
    assert rows
    assert max(map(len, rows)) <= columns
    assert "31 of 78 MB" in drawn(out) or columns < 80


def test_nothing_of_the_bar_stays_on_the_terminal(progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with narrated("base", progress, out):
        wait_until(lambda: drawn(out), within=60, what="a first picture")
    assert out.getvalue().rstrip().endswith("\x1b[2K")


@pytest.mark.parametrize(
    ("out", "term"), [(io.StringIO, "xterm"), (Terminal, "dumb")], ids=["no terminal", "one that cannot redraw"]
)
def test_elsewhere_there_are_plain_lines(
    progress: Progress, monkeypatch: pytest.MonkeyPatch, out: Callable[[], io.StringIO], term: str
) -> None:
    monkeypatch.setattr(narration, "REPORT", 0.01)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = out()
    with narrated("base", progress, said):
        wait_until(said.getvalue, within=60, every=0.01, what="a first line")
    assert said.getvalue().startswith("base: Downloading model.safetensors, 31 of 78 MB\n")


def test_a_log_is_not_filled_with_what_it_has_said(progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def look() -> Snapshot:
        nonlocal looks
        looks += 1
        return DOWNLOADING

    monkeypatch.setattr(narration, "REPORT", 0.001)
    monkeypatch.setattr(progress, "snapshot", look)
    out = io.StringIO()
    with narrated("base", progress, out):
        wait_until(lambda: looks > 3 * narration.SILENT, within=60, every=0.01, what="many looks")
    assert 3 <= len(out.getvalue().splitlines()) <= looks // narration.SILENT + 1


def test_who_wants_quiet_gets_it(progress: Progress) -> None:
    out, running = io.StringIO(), threading.active_count()
    with narrated("base", progress, out, quiet=True):
        assert threading.active_count() <= running
    assert out.getvalue() == ""
