"""The devices of this machine, each pipeline in a process of its own: see `child` for why."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from typing import IO, Any

from whisper_runtime.engine import Stop, Transcript

from whisper_npu.engine.devices import DeviceFailure, Reason
from whisper_npu.engine.messages import Leave, Look, Opening, Problem, Survey, Wish, Working

_LOOK = 0.05
"""Seconds between two looks at whether anybody still waits; an answer is taken when it comes."""
_LAST_WORDS = 500


class _Process:
    """A child and the messages to and from it."""

    def __init__(self) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = _started(theirs.fileno(), self._said)
            except OSError as error:
                self._said.close()
                ours.close()
                message = f"its process could not be started: {error}"
                raise DeviceFailure(Reason.COMPILE_FAILED, message) from error
        self._messages = Connection(ours.detach())

    def ask(self, message: object) -> None:
        """Send; that the child is gone is noticed when its answer is waited for."""
        try:
            self._messages.send(message)
        except OSError:
            return

    def answer(self, stop: Stop, limit: float, late: Reason) -> Any:
        """The next message but those that say that one is being made: each gives it `limit` seconds more.

        Raises:
            DeviceFailure: there is none in time (`late`), the child is gone, or it says what went wrong
        """
        while isinstance(message := self._next(stop, limit, late), Working):
            stop()
        if isinstance(message, Problem):
            raise DeviceFailure(Reason.LOST, message.message, out_of_memory=message.out_of_memory)
        return message

    def _next(self, stop: Stop, limit: float, late: Reason) -> Any:
        deadline = time.monotonic() + limit
        while not self._messages.poll(_LOOK):
            stop()
            if time.monotonic() > deadline:
                raise DeviceFailure(late, f"no answer for {limit:.0f} s")
        try:
            return self._messages.recv()
        except (EOFError, OSError):
            raise DeviceFailure(Reason.LOST, self._last_words()) from None

    def _last_words(self) -> str:
        status = self._process.wait()
        self._said.seek(0)
        said = " ".join(self._said.read().decode(errors="replace").split())[-_LAST_WORDS:]
        return f"its process ended with {status}" + (f": {said}" if said else "")

    @property
    def pid(self) -> int:
        return self._process.pid

    def end(self) -> None:
        """Kill it: it holds nothing that would need to be put in order, and may hang in a driver."""
        self._messages.close()
        self._process.kill()
        self._process.wait()
        self._said.close()


def _started(messages: int, said: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - this very interpreter, and a module of ours
        [sys.executable, "-P", "-m", "whisper_npu.child", str(messages)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
        pass_fds=(messages,),
    )


class _ProcessPipeline:
    """A pipeline in a child."""

    def __init__(self, process: _Process) -> None:
        self._process = process
        self._left = False
        """Whether an answer is on its way that nobody waits for any more."""

    def hear(self, wish: Wish, stop: Stop, limit: float) -> Transcript:
        """Ask, and take the answer after one that nobody waited for."""
        if self._left:
            self._process.answer(stop, limit, Reason.HUNG)
            self._left = False
        self._process.ask(wish)
        try:
            heard: Transcript = self._process.answer(stop, limit, Reason.HUNG)
        except BaseException:
            self._left = True
            self._process.ask(Leave())
            raise
        return heard

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def close(self) -> None:
        """End its process."""
        self._process.end()


class OpenVinoDevices:
    """What OpenVINO sees, asked anew each time: a driver that came or went is noticed."""

    def survey(self, stop: Stop, limit: float) -> Survey:
        """Ask a child, since a driver may crash or hang when it is looked at."""
        process = _Process()
        try:
            process.ask(Look())
            found: Survey = process.answer(stop, limit, Reason.HUNG)
        finally:
            process.end()
        return found

    def open(self, opening: Opening, stop: Stop, limit: float) -> _ProcessPipeline:
        """Start a child and have it compile."""
        process = _Process()
        try:
            process.ask(opening)
            process.answer(stop, limit, Reason.COMPILE_TIMEOUT)
        except DeviceFailure as failure:
            process.end()
            if failure.reason is Reason.COMPILE_TIMEOUT:
                raise
            raise DeviceFailure(
                Reason.COMPILE_FAILED, failure.message, out_of_memory=failure.out_of_memory
            ) from failure
        except BaseException:
            process.end()
            raise
        return _ProcessPipeline(process)
