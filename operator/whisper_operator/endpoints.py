"""The operator's own HTTP endpoints: /metrics, /livez, /readyz."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import generate_latest

LIVE_WITHIN = 20.0
"""Seconds in which a worker must take notice; a probe of the kubelet should wait a little longer."""


def application(beat: Callable[[], Awaitable[None]], ready: Callable[[], bool]) -> web.Application:
    """The endpoints.

    Args:
        beat: returns when the work queue has turned.
        ready: whether the first listing is done, or another replica leads and this one stands by.
    """

    async def livez(_: web.Request) -> web.Response:
        try:
            await asyncio.wait_for(beat(), LIVE_WITHIN)
        except TimeoutError:
            return web.Response(status=503, text=f"no worker took notice within {LIVE_WITHIN:g} s\n")
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if ready():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="neither listed nor standing by yet\n")

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": "text/plain; version=0.0.4"})

    app = web.Application()
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


@asynccontextmanager
async def serving(app: web.Application, port: int) -> AsyncIterator[None]:
    """Serve on all addresses for as long as the block lasts."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, None, port, shutdown_timeout=1).start()
        yield
    finally:
        await runner.cleanup()
