"""A transcription as server-sent events, segment by segment, as OpenAI's client reads them.

The answer begins with the first segment. What fails before that still has its status, so that the router can send the
request to another runtime; what fails later is an `error` event.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from whisper_runtime.api.answers import logprobs_of, text_of
from whisper_runtime.api.disconnect import gone
from whisper_runtime.errors import RequestFailure
from whisper_runtime.results import Segment
from whisper_runtime.runtime import Done, Job, Runtime
from whisper_runtime.serving.stop import Cancelled

Part = tuple[Segment, ...] | Done


async def streamed(
    request: Request, runtime: Runtime, job: Job, headers: dict[str, str], open_: AsyncExitStack
) -> Response:
    """The response once there is something to say; it closes what `open_` holds when it has been sent.

    Raises:
        Whatever comes before the first segment.
    """
    parts = _parts(request, runtime, job)
    open_.push_async_callback(parts.aclose)
    first = await anext(parts)
    sender = _Sender(runtime, job, _after(first, parts), headers)
    return _EventStream(sender, open_.pop_all())


async def _parts(request: Request, runtime: Runtime, job: Job) -> AsyncGenerator[Part, None]:
    """Segments as they come out of the engine, then what was done; ends the work when nobody listens any more."""
    loop, arrived = asyncio.get_running_loop(), asyncio.Queue[tuple[Segment, ...] | asyncio.Future[Any]]()

    def tell(segments: tuple[Segment, ...]) -> None:
        if segments:
            loop.call_soon_threadsafe(arrived.put_nowait, segments)

    doing = asyncio.ensure_future(runtime.transcribe(replace(job, on_segments=tell)))
    leaving = asyncio.ensure_future(gone(request))
    for task in (doing, leaving):
        task.add_done_callback(arrived.put_nowait)
    try:
        while isinstance(part := await arrived.get(), tuple):
            yield part
        if part is leaving:
            raise Cancelled
        yield doing.result()
    finally:
        for task in (doing, leaving):
            task.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _after(first: Part, rest: AsyncIterator[Part]) -> AsyncIterator[Part]:
    yield first
    async for part in rest:
        yield part


class Deltas:
    """Cuts a text that begins and ends with a word into the pieces that it comes in."""

    def __init__(self) -> None:
        self._begun = False
        self._kept = ""

    def add(self, text: str) -> str:
        """What is new; whitespace at the end is kept until something follows."""
        text = self._kept + text
        if not self._begun:
            text = text.lstrip()
        piece = text.rstrip()
        self._begun = self._begun or bool(piece)
        self._kept = text[len(piece) :]
        return piece


def event(body: dict[str, Any], name: str | None = None) -> bytes:
    """One event on the wire. JSON has no line breaks of its own, so that one line holds it."""
    kind = f"event: {name}\n" if name else ""
    return f"{kind}data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


@dataclass(frozen=True, slots=True)
class _Sender:
    """What goes out."""

    runtime: Runtime
    job: Job
    parts: AsyncIterator[Part]
    headers: dict[str, str]

    async def events(self) -> AsyncIterator[bytes]:
        """A delta for each segment that says something, then the whole text."""
        deltas = Deltas()
        async for part in self.parts:
            if isinstance(part, Done):
                heard = part.outcome.heard.transcript
                late = {"degraded": list(heard.degraded)} if heard.degraded else {}  # too late for the header
                yield self._event("done", {"text": text_of(heard.segments)} | late, heard.segments)
                return
            for segment in part:
                if piece := deltas.add(segment.text):
                    yield self._event("delta", {"delta": piece}, (segment,))

    def _event(self, kind: str, body: dict[str, Any], segments: tuple[Segment, ...]) -> bytes:
        if self.job.options.logprobs:
            body["logprobs"] = logprobs_of(segments)
        return event({"type": f"transcript.text.{kind}"} | body)

    def failed(self, failure: RequestFailure) -> bytes:
        """The last event of a stream that goes wrong."""
        self.runtime.metrics.rejected(self.job.endpoint, failure.code)
        return event({"type": "error"} | failure.body(self.job.request_id, self.runtime.service), "error")


class _EventStream(Response):
    """Sends events in the task of the request, whose limits and claims last until the end."""

    media_type = "text/event-stream"

    def __init__(self, sender: _Sender, open_: AsyncExitStack) -> None:
        super().__init__(headers=sender.headers | {"cache-control": "no-cache"})
        del self.headers["content-length"]
        self._sender, self._open = sender, open_

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send all of it, or an error as the last event."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with self._open:
                async for body in self._sender.events():
                    await self._send(send, body)
        except RequestFailure as failure:
            await self._send(send, self._sender.failed(failure))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, body: bytes) -> None:
        """A reader who takes nothing for as long as an upload may pause has gone."""
        try:
            async with asyncio.timeout(self._sender.runtime.settings.upload_idle_seconds):
                await send({"type": "http.response.body", "body": body, "more_body": True})
        except TimeoutError as error:
            raise Cancelled from error
