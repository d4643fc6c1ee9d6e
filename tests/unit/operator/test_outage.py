"""An outage of the API server, on a clock that jumps."""

import asyncio
from typing import Any, cast

import pytest
from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.errors import ApiError, Failing, Refused, Unavailable
from whisper_operator.cluster.outage import Outage

from tests.unit.operator.virtual_clock import run


class Server:
    """Gives one answer to everything, until it changes."""

    def __init__(self) -> None:
        self.error: ApiError | None = None
        self.asked: list[float] = []

    async def request(self, *_: Any, **__: Any) -> dict[str, Any]:
        self.asked.append(asyncio.get_running_loop().time())
        if self.error:
            raise self.error
        return {}


@pytest.mark.parametrize("answer", [None, Refused("may not list")], ids=["good", "refused"])
def test_one_request_that_failed_is_no_outage_where_another_is_answered(answer: ApiError | None) -> None:
    async def main() -> tuple[int, list[float]]:
        server, ends = Server(), []
        server.error = answer
        outage = Outage(cast("Connection", server), None)
        asking = asyncio.create_task(outage.run(lambda: ends.append(0.0)))
        for _ in range(39):
            outage.suspect()
            await asyncio.sleep(0.25)
            assert not outage.on
        asking.cancel()
        return len(server.asked), ends

    assert run(main()) == (5, [])


@pytest.mark.parametrize("error", [Unavailable("nothing there"), Failing("etcd is gone")], ids=["silent", "failing"])
def test_an_outage_is_asked_about_every_two_seconds_and_its_end_is_told_once(error: ApiError) -> None:
    async def main() -> tuple[list[float], list[float]]:
        server, ends = Server(), []
        server.error = error
        outage = Outage(cast("Connection", server), "here")
        asking = asyncio.create_task(outage.run(lambda: ends.append(asyncio.get_running_loop().time())))
        outage.suspect()
        await asyncio.sleep(7)
        assert outage.on
        server.error = None
        await asyncio.sleep(60)
        assert not outage.on
        asking.cancel()
        return server.asked, ends

    assert run(main()) == ([0, 2, 4, 6, 8], [8])
