"""The way to the API server: credentials from the pod or from a kubeconfig, a bounded time for every request.

Every write passes here, and so does the rule about writes: a process writes as long as it leads. That is asked before a
request is made, and once more when its bytes are about to go, since a process may be stopped in between. A write is
given up, here and by the API server, when the time to write is over; bytes that have not arrived by then never do.
"""

import asyncio
import json
import math
import os
import random
import socket
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.dynamic import DynamicClient

from whisper_operator.cluster.errors import NotLeader, Unavailable, from_status
from whisper_operator.cluster.kinds import Kind
from whisper_operator.metrics import API_REQUESTS
from whisper_operator.plan.ownership import MANAGER
from whisper_operator.plan.types import Manifest

TIMEOUT = 20.0
CONNECT_TIMEOUT = 5.0
SILENCE = 90.0
"""Seconds after which a watch that says nothing counts as broken: the API server sends a bookmark every minute."""
WATCH_FOR = (300, 600)
"""Seconds after which the API server ends a watch, drawn for each, so that not all begin anew at the same time."""
PAGE = 100
"""Objects listed at once: an answer as text and as objects is most of what a start holds in memory."""
APPLY = "application/apply-patch+yaml"
MERGE = "application/strategic-merge-patch+json"
"""Merges lists by key, so that one owner comes or goes and nothing is said of the others."""
IN_NO_OBJECT = "1"
"""A resourceVersion that no object has. The API server compares it with what is there, and ignores it where nothing is:
so an object can be made by one request that never changes one of someone else's."""
UNANSWERED = (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError, UnicodeDecodeError)
"""No answer in time, half of one, or one that is not JSON, as something between us and the API server may give it."""


def always() -> float:
    """The time to write of a process that no other competes with."""
    return math.inf


class Connection:
    """Requests to the API server as dictionaries; every failure is an `ApiError`, or `NotLeader`.

    Args:
        api: the client.
        left: seconds during which this process may still write.
    """

    def __init__(self, api: client.ApiClient, left: Callable[[], float] = always) -> None:
        self._dynamic = DynamicClient(api)
        self._left = left

    async def request(self, method: str, path: str, *, timeout: float = TIMEOUT, **params: Any) -> Manifest:  # noqa: ASYNC109  # it goes to the API server too
        """One request; the answer's JSON."""
        name = f"{method} {path}"
        if method != "get":
            timeout = min(timeout, self._time_to_write())
            params["query_params"] = [("timeout", f"{timeout:.3f}s")]
        limit = aiohttp.ClientTimeout(total=timeout, connect=min(timeout, CONNECT_TIMEOUT), ceil_threshold=timeout)
        try:
            answer = await self._dynamic.request(method, path, serialize=False, _request_timeout=limit, **params)
            found: Manifest = json.loads(await answer.read())
        except ApiException as error:
            API_REQUESTS.labels(method, str(error.status)).inc()
            raise from_status(error.status, _parsed(error.body), name) from None
        except UNANSWERED as error:
            API_REQUESTS.labels(method, "none").inc()
            if method != "get":
                self._time_to_write()
            raise Unavailable(f"{name}: {error or type(error).__name__}") from error
        API_REQUESTS.labels(method, str(answer.status)).inc()
        return found

    def _time_to_write(self) -> float:
        left = self._left()
        if left <= 0:
            raise NotLeader("this process does not lead (any more): it writes nothing")
        return left

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Manifest:
        """One object."""
        return await self.request("get", kind.path(namespace, name))

    async def pages(
        self, kind: Kind, namespace: str | None, **selectors: Any
    ) -> AsyncIterator[tuple[list[Manifest], str]]:
        """All objects of a kind, page by page, each with the resourceVersion of the list."""
        following: str | None = None
        while following != "":
            page = await self.request("get", kind.path(namespace), limit=PAGE, _continue=following, **selectors)
            head = {"apiVersion": kind.api_version, "kind": kind.kind}
            meta = page["metadata"]
            yield [head | item for item in page["items"]], str(meta.get("resourceVersion", "0"))
            following = str(meta.get("continue") or "")

    async def watch(
        self, kind: Kind, namespace: str | None, version: str, **selectors: Any
    ) -> AsyncGenerator[Manifest, None]:
        """What happens to a kind from a resourceVersion on, as the API server's events, until it ends the stream."""
        path = kind.path(namespace)
        params = {"watch": True, "resource_version": version, "timeout_seconds": random.randint(*WATCH_FOR)}  # noqa: S311  # nothing secret
        bookmarks = [("allowWatchBookmarks", "true")]
        limit = aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT, sock_read=SILENCE)
        try:
            async with asyncio.timeout(TIMEOUT):  # a watch is answered at once, and then goes on
                answer = await self._dynamic.request(
                    "get", path, serialize=False, query_params=bookmarks, _request_timeout=limit, **params, **selectors
                )
            API_REQUESTS.labels("watch", str(answer.status)).inc()
            try:
                async for line in answer.content:
                    yield json.loads(line)
            finally:
                answer.close()
        except ApiException as error:
            API_REQUESTS.labels("watch", str(error.status)).inc()
            raise from_status(error.status, _parsed(error.body), f"watch {path}") from None
        except UNANSWERED as error:
            API_REQUESTS.labels("watch", "none").inc()
            raise Unavailable(f"watch {path}: {error or type(error).__name__}") from error

    async def apply(self, manifest: Manifest, kind: Kind, sub: str | None = None) -> Manifest:
        """Server-side apply of the fields in the manifest, which become ours."""
        meta = manifest["metadata"]
        path = kind.path(meta["namespace"], meta["name"], sub)
        return await self.request(
            "patch", path, body=manifest, content_type=APPLY, field_manager=MANAGER, force_conflicts=True
        )

    async def apply_new(self, manifest: Manifest, kind: Kind) -> Manifest:
        """The same where there is no such object yet.

        Raises:
            Conflicting: there is one, whosever it is, and nothing was done to it.
        """
        return await self.apply(manifest | {"metadata": manifest["metadata"] | {"resourceVersion": IN_NO_OBJECT}}, kind)

    async def merge(self, manifest: Manifest, kind: Kind) -> Manifest:
        """Merge these fields into an object that is there; its UID, where given, must be that one's."""
        meta = manifest["metadata"]
        path = kind.path(meta["namespace"], meta["name"])
        return await self.request("patch", path, body=manifest, content_type=MERGE, field_manager=MANAGER)

    async def create(self, manifest: Manifest, kind: Kind) -> Manifest:
        """Make an object that is never changed afterwards."""
        path = kind.path(manifest["metadata"]["namespace"])
        return await self.request("post", path, body=manifest, field_manager=MANAGER)

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Delete exactly this object; what it owns goes in the background."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        }
        await self.request("delete", kind.path(namespace, name), body=body)


def _parsed(body: Any) -> Any:
    try:
        return json.loads(body)
    except (TypeError, ValueError):
        return body


@asynccontextmanager
async def connect(
    environment: Mapping[str, str] = os.environ, left: Callable[[], float] = always
) -> AsyncIterator[Connection]:
    """A connection with the pod's service account, else with the kubeconfig that KUBECONFIG names."""
    settings = client.Configuration()
    if "KUBERNETES_SERVICE_HOST" in environment and "KUBECONFIG" not in environment:
        config.load_incluster_config(client_configuration=settings)
    else:
        await config.load_kube_config(
            environment.get("KUBECONFIG"), client_configuration=settings, persist_config=False
        )
    settings.trace_configs = [_asking_again(left)]
    api = client.ApiClient(settings)
    # Without a limit: each watch has a connection, and for them no other request may have to wait.
    connector = aiohttp.TCPConnector(limit=0, ssl=api.rest_client.ssl_context, socket_factory=_forgetful)
    # No look into the environment and into .netrc before each request, which took a quarter of our time: the
    # credentials are here, and a proxy is named in the kubeconfig.
    settings.client_session_kwargs = {"connector": connector, "trust_env": False}
    try:
        yield Connection(api, left)
    finally:
        await api.close()
        await connector.close()


def _asking_again(left: Callable[[], float]) -> aiohttp.TraceConfig:
    """Lets no body go when the time to write is over: aiohttp calls this before it writes, headers and body at once."""

    async def before_writing(*_: object) -> None:
        if left() <= 0:
            raise NotLeader("its time to write ended before a request was sent")

    found = aiohttp.TraceConfig()
    found.on_request_chunk_sent.append(before_writing)
    return found


def _forgetful(address: Any) -> socket.socket:
    """A socket that, once closed, sends nothing more: the kernel would try for minutes to deliver what it still has."""
    family, kind, protocol, _, _ = address
    found = socket.socket(family, kind, protocol)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return found
