"""Work that lasts as long as its client is there."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message
from whisper_runtime.api.disconnect import while_connected
from whisper_runtime.serving.stop import Cancelled


class Client:
    """Hangs up when told to."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def request(self) -> Request:
        return Request({"type": "http"}, self._receive)

    async def _receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def alone(client: Client, work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it, after which nothing may be left that still watches."""
    try:
        return await while_connected(client.request(), work)
    finally:
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}


def test_what_is_done_before_the_client_goes_is_its_answer() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    async def scene() -> str:
        return str(await alone(Client(), work()))

    assert asyncio.run(scene()) == "done"


def test_work_is_stopped_when_its_client_goes() -> None:
    stopped = list[bool]()

    async def work(client: Client) -> None:
        try:
            client.gone.set()
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    async def scene() -> None:
        client = Client()
        await alone(client, work(client))

    with pytest.raises(Cancelled):
        asyncio.run(scene())
    assert stopped == [True]


def test_what_goes_wrong_is_told_as_it_is() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise TimeoutError("its own")

    async def scene() -> None:
        await alone(Client(), work())

    with pytest.raises(TimeoutError, match="its own"):
        asyncio.run(scene())


def test_who_cancels_the_request_cancels_the_work_and_is_not_told_of_a_client() -> None:
    async def scene() -> bool:
        client, begun, stopped = Client(), asyncio.Event(), asyncio.Event()

        async def work() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()

        request = asyncio.ensure_future(while_connected(client.request(), work()))
        await begun.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        return stopped.is_set()

    assert asyncio.run(scene())
