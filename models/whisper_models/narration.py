"""Tells a person how far the work is: one line with a bar on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from whisper_models.progress import Progress, Snapshot

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

REDRAWS = 4  # a second, on a terminal
REPORT = 10.0  # seconds between two lines in a log
SILENT = 6  # times that long where nothing changes
BAR = 20  # columns


def headline(title: str, snapshot: Snapshot) -> str:
    """`base onnx int8: Downloading model.safetensors`."""
    doing = f"{snapshot.stage} {snapshot.file}" if snapshot.file else str(snapshot.stage)
    return f"{title}: {doing}"


def figures(snapshot: Snapshot) -> str:
    """`31 of 78 MB, 24.1 MB/s, 2 s left`; nothing of what is not known."""
    words = []
    if snapshot.bytes_total:
        words.append(f"{snapshot.bytes_done / 1e6:.0f} of {snapshot.bytes_total / 1e6:.0f} MB")
    if snapshot.speed:
        words.append(f"{snapshot.speed / 1e6:.1f} MB/s")
    if snapshot.eta:
        words.append(f"{_duration(snapshot.eta)} left")
    return ", ".join(words)


@contextmanager
def narrated(title: str, progress: Progress, out: TextIO, *, quiet: bool = False) -> Iterator[None]:
    """Tell for the length of the block; on a terminal nothing of it stays."""
    if quiet:
        yield
    elif console := _terminal(out):
        with _bar(title, progress, console):
            yield
    else:
        with _lines(title, progress, out):
            yield


def _terminal(out: TextIO) -> Console | None:
    """The terminal behind a stream, if there is one that can redraw a line."""
    if not out.isatty():
        return None
    from rich.console import Console  # noqa: PLC0415 - only people need it

    console = Console(file=out)
    return None if console.is_dumb_terminal else console


@contextmanager
def _bar(title: str, progress: Progress, console: Console) -> Iterator[None]:
    from rich.live import Live  # noqa: PLC0415 - only people need it

    live = Live(
        console=console,
        get_renderable=lambda: _picture(title, progress.snapshot(), console.width),
        refresh_per_second=REDRAWS,
        transient=True,
        redirect_stdout=False,  # it may lead elsewhere than this terminal
    )
    with live:
        yield


def _picture(title: str, snapshot: Snapshot, columns: int) -> Table:
    """One row, drawn anew each time to the width that there is then: figures first, then the name, then the bar."""
    from rich.progress_bar import ProgressBar  # noqa: PLC0415 - only people need it
    from rich.table import Table  # noqa: PLC0415 - only people need it
    from rich.text import Text  # noqa: PLC0415 - only people need it

    said, told = headline(title, snapshot), figures(snapshot)[:columns]
    left = max(columns - len(told) - 2, 0)
    name = min(len(said), left - BAR if left > 2 * BAR else left)
    row = Table.grid(padding=(0, 1))
    for width in (name, min(BAR, max(left - name, 0)), len(told)):
        row.add_column(width=width, no_wrap=True, overflow="ellipsis")
    # A stage without a known end has a bar that moves.
    bar = ProgressBar(total=snapshot.bytes_total or None, completed=snapshot.bytes_done)
    row.add_row(Text(said), bar, Text(told))
    return row


@contextmanager
def _lines(title: str, progress: Progress, out: TextIO) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=_report, args=(title, progress, out, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _report(title: str, progress: Progress, out: TextIO, stop: threading.Event) -> None:
    """A line where there is news; without any, now and then, as a sign of life."""
    last, silent = "", 0
    while not stop.wait(REPORT):
        snapshot = progress.snapshot()
        line = ", ".join(part for part in (headline(title, snapshot), figures(snapshot)) if part)
        silent = silent + 1 if line == last else 0
        if silent % SILENT == 0:
            out.write(line + "\n")
            out.flush()
        last = line


def _duration(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - in an hour
