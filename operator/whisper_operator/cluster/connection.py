"""The way to the API server: credentials from the pod or from a kubeconfig, a bounded time for every request."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.dynamic import DynamicClient

from whisper_operator.cluster.errors import Unavailable, from_status
from whisper_operator.cluster.kinds import Kind
from whisper_operator.metrics import API_REQUESTS
from whisper_operator.plan.ownership import MANAGER
from whisper_operator.plan.types import Manifest

TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
PAGE = 500
APPLY = "application/apply-patch+yaml"


class Connection:
    """Requests to the API server as dictionaries; every failure is an `ApiError`."""

    def __init__(self, api: client.ApiClient) -> None:
        self._dynamic = DynamicClient(api)

    async def request(self, method: str, path: str, **params: Any) -> Manifest:
        """One request; the answer's JSON."""
        name = f"{method} {path}"
        try:
            answer = await self._dynamic.request(method, path, serialize=False, _request_timeout=TIMEOUT, **params)
            found: Manifest = json.loads(await answer.read())
        except ApiException as error:
            API_REQUESTS.labels(method, str(error.status)).inc()
            raise from_status(error.status, _parsed(error.body), name) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            API_REQUESTS.labels(method, "none").inc()
            raise Unavailable(f"{name}: {error or type(error).__name__}") from error
        API_REQUESTS.labels(method, str(answer.status)).inc()
        return found

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Manifest:
        """One object."""
        return await self.request("get", kind.path(namespace, name))

    async def pages(
        self, kind: Kind, namespace: str | None, **selectors: str
    ) -> AsyncIterator[tuple[list[Manifest], str]]:
        """All objects of a kind, page by page, each with the resourceVersion of the list."""
        following: str | None = None
        while following != "":
            page = await self.request("get", kind.path(namespace), limit=PAGE, _continue=following, **selectors)
            head = {"apiVersion": kind.api_version, "kind": kind.kind}
            meta = page["metadata"]
            yield [head | item for item in page["items"]], str(meta.get("resourceVersion", "0"))
            following = str(meta.get("continue") or "")

    async def apply(self, manifest: Manifest, kind: Kind, sub: str | None = None) -> Manifest:
        """Server-side apply of the fields in the manifest, which become ours."""
        meta = manifest["metadata"]
        path = kind.path(meta["namespace"], meta["name"], sub)
        return await self.request(
            "patch", path, body=manifest, content_type=APPLY, field_manager=MANAGER, force_conflicts=True
        )

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
async def connect(environment: Mapping[str, str] = os.environ) -> AsyncIterator[Connection]:
    """A connection with the pod's service account, else with the kubeconfig that KUBECONFIG names."""
    settings = client.Configuration()
    if "KUBERNETES_SERVICE_HOST" in environment and "KUBECONFIG" not in environment:
        config.load_incluster_config(client_configuration=settings)
    else:
        await config.load_kube_config(
            environment.get("KUBECONFIG"), client_configuration=settings, persist_config=False
        )
    api = client.ApiClient(settings)
    try:
        yield Connection(api)
    finally:
        await api.close()
