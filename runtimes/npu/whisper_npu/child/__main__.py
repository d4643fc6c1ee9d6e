"""Does what the first message says, then hears one waveform after the other until the runtime closes its end."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from whisper_runtime.engine import Options, Stop, Transcript, Waveform

from whisper_npu.engine.messages import Leave, Left, Look, Opened, Opening, Problem, Wish, Working

_BEAT = 0.5
Hear = Callable[[Waveform, Options, Stop], Transcript]


class _Unwanted(Exception):  # noqa: N818 - a signal from the runtime
    """Nobody waits for the answer any more."""


def main() -> None:
    """Until the runtime has gone, or something went wrong that it is told of."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the runtime drains, and tells us
    with Connection(int(sys.argv[1])) as runtime:
        asked = runtime.recv()
        try:
            if isinstance(asked, Look):
                from whisper_npu.child.survey import survey  # noqa: PLC0415 - each part loads only what it takes

                runtime.send(survey())
            else:
                _serve(runtime, asked)
        except EOFError:
            return
        except MemoryError as error:
            runtime.send(Problem(str(error) or "no more memory", out_of_memory=True))
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is told, and ends this process
            runtime.send(Problem(_sentence(error)))


def _serve(runtime: Connection, opening: Opening) -> None:
    hear = _opened(opening)
    runtime.send(Opened())
    stop = _stop(runtime)
    while True:
        wish = runtime.recv()
        if isinstance(wish, Wish):  # a Leave that comes after its answer has nothing to end
            try:
                answer: Transcript | Left = hear(wish.audio, wish.options, stop)
            except _Unwanted:
                answer = Left()
            runtime.send(answer)


def _opened(opening: Opening) -> Hear:
    if opening.by == "genai":
        from whisper_npu.child.genai import GenAiPipeline  # noqa: PLC0415 - as above

        return GenAiPipeline(opening).hear
    from whisper_npu.child.graphs import open_listener  # noqa: PLC0415 - as above

    return open_listener(opening).transcribe


def _stop(runtime: Connection) -> Stop:
    """Called between steps: ends the work if the runtime has left, and tells it now and then that it goes on."""
    told = time.monotonic()

    def stop() -> None:
        nonlocal told
        if runtime.poll() and isinstance(runtime.recv(), Leave):
            raise _Unwanted
        if time.monotonic() - told > _BEAT:
            told = time.monotonic()
            runtime.send(Working())

    return stop


def _sentence(error: Exception) -> str:
    """OpenVINO's errors are a stack of source locations with the sentence at their end."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Exception from")]
    return " ".join(lines[-2:])[:500] or type(error).__name__


if __name__ == "__main__":
    main()
