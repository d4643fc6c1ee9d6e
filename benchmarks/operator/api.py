"""The benchmark's own way to the API server: many requests at once, and watches that say when something was seen."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

Object = dict[str, Any]
AT_ONCE = 16
PLAIN = "application/json"
APPLY, MERGE, STRATEGIC = (
    f"application/{name}+{how}"
    for name, how in (("apply-patch", "yaml"), ("merge-patch", "json"), ("strategic-merge-patch", "json"))
)


class Api:
    """One API server, as the administrator."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session, self._server = session, server

    async def send(
        self, method: str, path: str, body: Object | None = None, content: str = "application/json"
    ) -> Object:
        """One request; whatever is not a success ends the benchmark."""
        data = None if body is None else json.dumps(body)
        async with self._session.request(
            method, self._server + path, data=data, headers={"Content-Type": content}
        ) as answer:
            text = await answer.text()
            if answer.status >= 300:
                raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")
        found: Object = json.loads(text)
        return found

    async def apply(self, path: str, manifest: Object) -> Object:
        """Server-side apply."""
        where = f"{path}/{manifest['metadata']['name']}?fieldManager=bench&force=true"
        return await self.send("PATCH", where, manifest, APPLY)

    async def items(self, path: str, **selectors: str) -> list[Object]:
        """A whole collection."""
        query = "?" + "&".join(f"{name}={value}" for name, value in selectors.items()) if selectors else ""
        found: list[Object] = (await self.send("GET", path + query))["items"]
        return found

    async def watch(self, path: str, **selectors: str) -> AsyncIterator[tuple[float, Object]]:
        """What is there and what changes, each with when it was seen; begins anew when the server ends it."""
        params = {"watch": "true", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"} | selectors
        params["allowWatchBookmarks"] = "true"
        while True:
            async with self._session.get(self._server + path, params=params, timeout=aiohttp.ClientTimeout()) as answer:
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] in ("ADDED", "MODIFIED"):
                        yield time.monotonic(), event["object"]


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Api]:
    """With what a kubeconfig says, for as long as the block lasts."""
    content = json.loads(kubeconfig.read_text())  # noqa: ASYNC240  # before anything else runs
    cluster = content["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=authority), limit=0)
    headers = {"Authorization": f"Bearer {content['users'][0]['user']['token']}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers, read_bufsize=2**22) as session:
        yield Api(session, cluster["server"])


async def each(work: Callable[[Any], Coroutine[Any, Any, Any]], things: Iterable[Any], at_once: int = AT_ONCE) -> None:
    """Do something for each thing, a few at a time, in their order."""
    left = iter(things)

    async def worker() -> None:
        for thing in left:
            await work(thing)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())


async def until(see: Callable[[], Coroutine[Any, Any, bool]], *, within: float, what: str, every: float = 0.5) -> None:
    """Wait for something, or end the benchmark."""
    deadline = time.monotonic() + within
    while not await see():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:g} s: {what}")
        await asyncio.sleep(every)
