"""Leases in memory, answered as the API server does: created once, changed only as they were read."""

import copy
from typing import Any

from whisper_operator.cluster.errors import Conflicting, NotThere
from whisper_operator.plan.types import Manifest


class Leases:
    """What a `Connection` is for an `Election`, without a network; a contract test holds it to the real one."""

    def __init__(self) -> None:
        self._kept: dict[str, Manifest] = {}
        self._version = 0

    async def request(self, method: str, path: str, **params: Any) -> Manifest:
        """As `Connection.request` for a Lease."""
        name = path if method != "post" else f"{path}/{params['body']['metadata']['name']}"
        answer = {"get": self._get, "post": self._post, "put": self._put, "delete": self._delete}[method]
        return copy.deepcopy(answer(name, params.get("body") or {}))

    def _get(self, name: str, _: Manifest) -> Manifest:
        if name not in self._kept:
            raise NotThere(name)
        return self._kept[name]

    def _post(self, name: str, body: Manifest) -> Manifest:
        if name in self._kept:
            raise Conflicting(name)
        return self._keep(name, body)

    def _put(self, name: str, body: Manifest) -> Manifest:
        if self._kept.get(name, {}).get("metadata", {}).get("resourceVersion") != body["metadata"]["resourceVersion"]:
            raise Conflicting(name)
        return self._keep(name, body)

    def _delete(self, name: str, body: Manifest) -> Manifest:
        found = self._get(name, body)
        del self._kept[name]
        return found

    def _keep(self, name: str, body: Manifest) -> Manifest:
        self._version += 1
        meta = body["metadata"] | {"resourceVersion": str(self._version)}
        self._kept[name] = copy.deepcopy(body | {"metadata": meta})
        return self._kept[name]
