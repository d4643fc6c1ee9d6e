"""Tells a person how far the work is: one changing line on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from whisper_models.progress import Progress, Snapshot

REDRAW, REPORT = 0.5, 10.0  # seconds between two lines: on a terminal, in a log
CLEAR_LINE = "\r\x1b[K"


def sentence(snapshot: Snapshot) -> str:
    """`Downloading model.safetensors: 31 of 78 MB, 24.1 MB/s, 2 s left`."""
    words = [f"{snapshot.stage} {snapshot.file}" if snapshot.file else str(snapshot.stage)]
    if snapshot.bytes_total:
        words[0] += f": {snapshot.bytes_done / 1e6:.0f} of {snapshot.bytes_total / 1e6:.0f} MB"
    if snapshot.speed:
        words.append(f"{snapshot.speed / 1e6:.1f} MB/s")
    if snapshot.eta:
        words.append(f"{snapshot.eta:.0f} s left")
    return ", ".join(words)


@contextmanager
def narrated(progress: Progress, out: TextIO, *, quiet: bool = False) -> Iterator[None]:
    """Tell for the length of the block, from a thread of its own."""
    if quiet:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_tell, args=(progress, out, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _tell(progress: Progress, out: TextIO, stop: threading.Event) -> None:
    terminal = out.isatty()
    while not stop.wait(REDRAW if terminal else REPORT):
        line = sentence(progress.snapshot())
        out.write(f"{CLEAR_LINE}{line}" if terminal else f"{line}\n")
        out.flush()
    if terminal:
        out.write(CLEAR_LINE)
        out.flush()
