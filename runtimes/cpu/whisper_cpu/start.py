"""The command's first moment: SIGTERM ends the process from here on, though its libraries take seconds to load.

In a container the command is process 1, for which the kernel drops every signal without a handler. A pod that was told
to stop while it was still importing would otherwise stay for its whole grace period, as long as a request may take.
"""

import os
import signal


def main() -> None:
    """The console script; `serve` replaces the handler with one that drains."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from whisper_cpu.cli import main as run  # noqa: PLC0415 - loads everything, so the handler has to be there first

    run()
