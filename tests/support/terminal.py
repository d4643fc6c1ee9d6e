"""A program in a pseudo-terminal: what it draws, at a width that can change, and keys pressed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from tests.support.waiting import wait_until

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ROW = re.compile(r"[\r\n]+")
WITHIN = 300.0
OWNING = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
"""Makes stdin the terminal that Ctrl-C is pressed in, then becomes the program."""


class Terminal:
    """One running program."""

    def __init__(self, process: subprocess.Popen[bytes], controller: int) -> None:
        self.process = process
        self._controller = controller
        self._drawn = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def text(self) -> str:
        """All that was drawn so far, without control sequences."""
        return CONTROL.sub("", self.raw())

    def raw(self) -> str:
        """All that was drawn so far."""
        return self._drawn.decode(errors="replace")

    def rows(self, since: int = 0) -> list[str]:
        """Every row that was ever drawn, from an offset in the text on."""
        return [row for row in ROW.split(self.text()[since:]) if row.strip()]

    def shows(self, pattern: str, since: int = 0) -> int:
        """Wait until this was drawn; the offset behind it."""

        def drawn() -> re.Match[str]:
            found = re.compile(pattern).search(self.text(), since)
            assert found, f"drawn was {self.text()[since:]!r}"
            return found

        return wait_until(drawn, within=WITHIN, every=0.05, what=f"{pattern} is drawn").end()

    def press(self, keys: str) -> None:
        """As a person would."""
        os.write(self._controller, keys.encode())

    def resize(self, columns: int) -> None:
        """As a person pulls at the window."""
        fcntl.ioctl(self._controller, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def ended(self) -> int:
        """Wait for the end; the exit code as a shell gives it."""
        code = self.process.wait(WITHIN)
        self._reader.join(WITHIN)
        return code

    def _read(self) -> None:
        with suppress(OSError):  # how Linux says that nobody has the other end open any more
            while block := os.read(self._controller, 65536):
                self._drawn += block


@contextmanager
def terminal(line: Sequence[str], columns: int, environment: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run a program with a terminal as stdin, stdout and stderr, which is also its controlling one."""
    controller, inside = pty.openpty()
    fcntl.ioctl(controller, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", OWNING, *line],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env=clean | {"TERM": "xterm-256color"} | dict(environment or {}),
        start_new_session=True,
    )
    os.close(inside)
    try:
        yield Terminal(process, controller)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        os.close(controller)
