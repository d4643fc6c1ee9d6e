"""A runtime's first moment: SIGTERM ends the process from here on, though its libraries take seconds to load.

In a container the command is process 1, for which the kernel drops every signal without a handler. A pod that was told
to stop while it was still importing would otherwise stay for its whole grace period, as long as a request may take.
Imports nothing that takes time, so that a runtime's command can call it before it imports the rest.
"""

import os
import signal


def end_on_sigterm() -> None:
    """Until `serve` replaces the handler with one that drains: nothing is in flight yet."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
