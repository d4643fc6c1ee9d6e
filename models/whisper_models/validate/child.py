"""The process in which one engine hears the samples: `python -m whisper_models.validate.child JOB`.

What the engine does stays here: its crash, its hang, its leak, and whatever it would fetch or print. The job comes as
JSON in the first argument, the windows as npz on stdin; the texts go as JSON to stdout.
"""

from __future__ import annotations

import ctypes
import importlib
import io
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

PARENT_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG` of prctl(2)."""
FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.sendmsg")


def main() -> NoReturn:
    """Do the job; the process ends without the engines' own clean-up, which no result depends on."""
    job = json.loads(sys.argv[1])
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # engines print where they like
    _bound(job)
    sys.addaudithook(_without_network)
    try:
        result: dict[str, Any] = {"texts": hear(job)}
    except MemoryError:
        result = {"error": "it found no more memory"}
    except Exception as error:  # noqa: BLE001 - whatever an engine raises is this process's result
        result = {"error": f"{type(error).__name__}: {error}"}
    json.dump(result, answer)
    answer.flush()
    os._exit(0)


def hear(job: dict[str, Any]) -> list[str]:
    """Load the engine and the variant, then transcribe each window."""
    module = importlib.import_module(job["module"])
    transcribe = module.load(Path(job["path"]))
    windows = np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
    return [transcribe(windows[str(number)], language) for number, language in enumerate(job["languages"])]


def _bound(job: dict[str, Any]) -> None:
    """Whoever started this ends it too. Where that one was itself killed the kernel does, or at last the alarm."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != job["parent"]:
            os._exit(1)  # it was killed before the kernel was told
    signal.alarm(int(job["seconds"]) + 1)
    resource.setrlimit(resource.RLIMIT_DATA, (job["bytes"], job["bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _without_network(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in FORBIDDEN:
        raise PermissionError("the network is not used while a model is validated: everything must be in its folder")


if __name__ == "__main__":
    main()
