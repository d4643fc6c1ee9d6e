"""The running operator: one connection, one cache, one queue, the watches beside them; all of it once it leads."""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from whisper_operator.cluster.cache import Cache
from whisper_operator.cluster.connection import Connection, always, connect
from whisper_operator.cluster.errors import ApiError
from whisper_operator.cluster.events import Recorder
from whisper_operator.cluster.execute import Executor
from whisper_operator.cluster.intake import Intake
from whisper_operator.cluster.lease import Election
from whisper_operator.cluster.listing import list_all
from whisper_operator.cluster.observe import Observer
from whisper_operator.cluster.outage import Outage
from whisper_operator.cluster.pod_http import PodHttp
from whisper_operator.cluster.queue import WorkQueue
from whisper_operator.cluster.reconcile import Reconciler
from whisper_operator.cluster.routers import Routers
from whisper_operator.cluster.watch import Watches
from whisper_operator.config import Config
from whisper_operator.endpoints import application, serving
from whisper_operator.metrics import LEADER
from whisper_operator.plan.types import Key

log = logging.getLogger(__name__)
LIST_AGAIN_AFTER = 2.0
PAUSE = 0.5
"""Seconds between two looks at one resource: its objects are made and reported on in bursts."""


class Operator:
    """All parts, put together."""

    def __init__(self, config: Config, connection: Connection, session: aiohttp.ClientSession) -> None:
        self._config = config
        self._connection = connection
        self._cache = Cache()
        pod_http = PodHttp(session)
        self._routers = Routers(self._cache, pod_http, self._look_at)
        executor = Executor(connection, self._cache, Recorder(connection))
        observer = Observer(connection, self._cache, pod_http, self._routers, config.defaults)
        self._outage = Outage(connection, next(iter(config.namespaces), None))
        reconciler = Reconciler(self._cache, observer, executor, self._outage)
        self.queue: WorkQueue[Key] = WorkQueue(reconciler, workers=config.workers, pause=PAUSE)
        intake = Intake(self._cache, self.queue.add)
        self._watches = Watches(connection, self._cache, intake.seen, config.namespaces)
        self.listed = False

    def _look_at(self, key: Key) -> None:
        self.queue.add(key)

    async def beat(self) -> None:
        """Return when the work queue has turned; before the first listing there is nothing to turn."""
        if self.listed:
            await self.queue.beat()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watches.run())
            await self._watches.listed()
            self.listed = True
            log.info("listed everything; watching", extra={"resources": len(self._cache.resources())})
            group.create_task(self.queue.run())
            group.create_task(self._routers.run())
            group.create_task(self._outage.run(self.queue.retry_failed))
            group.create_task(self._resync())

    async def _list_until_it_works(self) -> None:
        while True:
            try:
                await list_all(self._connection, self._cache, self._config.namespaces)
            except ApiError as error:
                log.warning("listing failed; trying again", extra={"error": str(error)})
                await asyncio.sleep(LIST_AGAIN_AFTER)
            else:
                return

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._config.resync_seconds)
            await self._list_until_it_works()
            for key in self._cache.resources():
                self.queue.add(key)


async def operate(config: Config) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        NotLeader: another replica leads now, or may. What this process knows is not to be relied on any more, so it
            ends, and whoever starts it again gets a replica that stands by.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        election = await stack.enter_async_context(_election(config))
        left = election.left if election else always
        connection = await stack.enter_async_context(connect(left=left))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        operator = Operator(config, connection, session)
        app = application(operator.beat, lambda: operator.listed or (election is not None and election.standing_by))
        await stack.enter_async_context(serving(app, config.port))
        try:
            await first_of(stop.wait(), _lead(election, operator))
        finally:
            if election:
                await election.release()
    log.info("stopped")


@asynccontextmanager
async def _election(config: Config) -> AsyncIterator[Election | None]:
    """Where no Lease is configured, there is none, and this process leads without one."""
    if config.lease_namespace is None:
        yield None
        return
    async with connect() as connection:
        replica = config.replica or socket.gethostname()
        yield Election(connection, config.lease_namespace, config.lease_name, replica)


async def _lead(election: Election | None, operator: Operator) -> None:
    if election is None:
        LEADER.set(1)
        await operator.run()
    else:
        await election.win()
        await first_of(operator.run(), election.hold())


async def first_of(*works: Coroutine[None, None, object]) -> None:
    """Until the first one ends; the others are cancelled and waited for, and what it raised is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
