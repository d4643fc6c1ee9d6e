"""Whether the API server answers at all. That is one fact, not one for each key.

During an outage one request every two seconds asks whether it is over, instead of every key for itself; and when it is,
no key waits for as long as its failures meanwhile would have it.
"""

import asyncio
import logging
from collections.abc import Callable

from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.errors import ApiError, Unavailable
from whisper_operator.cluster.kinds import MODELSET

log = logging.getLogger(__name__)
ASK_EVERY = 2.0
ASK_WITHIN = 5.0


class Outage:
    """Begins when a request got no good answer and one that always gets it, a short list, gets none either.

    Args:
        connection: the way to the API server.
        namespace: where this process may list; None where it may everywhere.
    """

    def __init__(self, connection: Connection, namespace: str | None) -> None:
        self._connection = connection
        self._path = MODELSET.path(namespace)
        self._suspected = asyncio.Event()
        self.on = False

    def suspect(self) -> None:
        """Some request got no good answer: find out whether that is true of all."""
        self._suspected.set()

    async def run(self, over: Callable[[], None]) -> None:
        """Until cancelled; each outage's end is told to `over`."""
        while True:
            await self._suspected.wait()
            if not await self._answers():
                await self._last()
                over()
            self._suspected.clear()
            await asyncio.sleep(ASK_EVERY)

    async def _last(self) -> None:
        self.on = True
        log.warning("the API server does not answer; asking until it does")
        await asyncio.sleep(ASK_EVERY)
        while not await self._answers():  # noqa: ASYNC110  # what is waited for is outside this process
            await asyncio.sleep(ASK_EVERY)
        log.info("the API server answers again")
        self.on = False

    async def _answers(self) -> bool:
        try:
            await self._connection.request("get", self._path, limit=1, timeout=ASK_WITHIN)
        except ApiError as error:
            return not isinstance(error, Unavailable)
        return True
