"""An Event is said before the status that it goes with: whatever interrupts a turn, it is not lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio import client
from whisper_operator.cluster.cache import Cache
from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.errors import Failing
from whisper_operator.cluster.events import Recorder
from whisper_operator.cluster.execute import Executor
from whisper_operator.plan.types import Event, Key, Plan

KEY = Key("WhisperService", "demo", "speech")
RESOURCE: dict[str, Any] = {
    "apiVersion": "whisper.livetranslate.io/v1alpha1",
    "kind": "WhisperService",
    "metadata": {"name": "speech", "namespace": "demo", "uid": "u", "resourceVersion": "1"},
}
PLAN = Plan(status={"url": "b"}, events=(Event("Warning", "Refused", "no"),))
EVENT, STATUS = "POST events", "PATCH status"


@dataclass
class Answers:
    """An API server that takes what it is given, but for Events, and remembers what it was asked."""

    to_events: int = 201
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        last = request.path.rsplit("/", 1)[1]
        self.asked.append(f"{request.method} {last}")
        if last == "events" and self.to_events >= 400:
            return web.json_response({"message": "no"}, status=self.to_events)
        return web.json_response(RESOURCE)


@asynccontextmanager
async def executor(answers: Answers) -> AsyncIterator[Executor]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers.answer)
    async with TestServer(app) as server:
        api = client.ApiClient(client.Configuration(host=str(server.make_url("/")).rstrip("/")))
        try:
            connection = Connection(api)
            yield Executor(connection, Cache(), Recorder(connection))
        finally:
            await api.close()


async def test_an_event_that_cannot_be_said_now_is_said_with_the_next_turn_and_once() -> None:
    answers = Answers(to_events=503)
    async with executor(answers) as working:
        with pytest.raises(Failing):
            await working.execute(PLAN, KEY, RESOURCE)
        assert answers.asked == [EVENT]
        answers.to_events = 201
        await working.execute(PLAN, KEY, RESOURCE)
        assert answers.asked == [EVENT, EVENT, STATUS]
        await working.execute(PLAN, KEY, RESOURCE)
        assert answers.asked.count(EVENT) == 2


async def test_an_event_that_is_refused_keeps_no_status_back() -> None:
    answers = Answers(to_events=403)
    async with executor(answers) as working:
        await working.execute(PLAN, KEY, RESOURCE)
    assert answers.asked == [EVENT, STATUS]
