"""Runs the app until a signal: drain first, while probes and refusals are still answered, then stop listening.

uvicorn alone would close the socket at once, and end with the signal instead of with 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from whisper_runtime.runtime import Runtime
from whisper_runtime.serving.ending import leave, leave_word

_LOG = logging.getLogger(__name__)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GRACE = 5  # for answers that are being written when the last request is done
_LOOK = 0.2
_LINGER = 1.0  # after a failure: requests that are on their way are answered, and sent elsewhere by the router


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: ours decide when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(app: FastAPI) -> int:
    """Serve until SIGTERM or SIGINT; the exit status: 1 if the model could not be served, or no longer."""
    runtime: Runtime = app.state.runtime
    config = uvicorn.Config(
        app,
        host=runtime.settings.host,
        port=runtime.settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
    )
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        return runner.run(_serve(_Server(config), runtime))


async def _serve(server: _Server, runtime: Runtime) -> int:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, told.set)
    serving = asyncio.create_task(server.serve())
    await _until(told, runtime, serving)
    if not serving.done() and not runtime.life.failed:
        finished = await runtime.drain()
        _LOG.info("drained" if finished else "requests in flight were cut off: drain_seconds is over")
    if runtime.life.failed:
        leave_word(runtime.settings.termination_log, str(runtime.life.reason))
        await asyncio.sleep(_LINGER)
    server.should_exit = True
    await serving
    status = 1 if runtime.life.failed or not server.started else 0
    if not runtime.ended:
        leave(status)
    return status


async def _until(told: asyncio.Event, runtime: Runtime, serving: asyncio.Task[None]) -> None:
    """Until a signal, a failure, or the server's own end (its port is taken)."""
    while not (told.is_set() or serving.done() or runtime.life.failed):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), _LOOK)
