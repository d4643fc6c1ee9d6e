"""Stops work for a client that has gone: nobody will read its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from whisper_runtime.serving.stop import Cancelled

T = TypeVar("T")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client disconnects. The body must have been read.

    Raises:
        Cancelled: the client has gone.
    """
    try:
        async with asyncio.timeout(None) as connected:
            watching = asyncio.ensure_future(_hang_up(request, connected))
            try:
                return await work
            finally:
                watching.cancel()
    except TimeoutError as error:
        if connected.expired():
            raise Cancelled from error
        raise


async def _hang_up(request: Request, connected: asyncio.Timeout) -> None:
    await gone(request)
    connected.reschedule(asyncio.get_running_loop().time())


async def gone(request: Request) -> None:
    """Ends when the client disconnects. The body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
