"""The Leases in memory, on which elections are tried for hours, answer as the real API server does."""

from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from whisper_operator.cluster.connection import connect
from whisper_operator.cluster.errors import Conflicting, NotThere
from whisper_operator.cluster.kinds import LEASE
from whisper_operator.plan.types import Manifest

from tests.support.kubectl import Kubectl
from tests.support.leases import Leases


class Api(Protocol):
    async def request(self, method: str, path: str, *, body: Manifest | None = None) -> Manifest: ...


@pytest.fixture(params=["real", "in memory"])
async def api(request: pytest.FixtureRequest, api_server: Kubectl) -> AsyncIterator[Api]:
    if request.param == "in memory":
        yield Leases()
        return
    async with connect({"KUBECONFIG": str(api_server.kubeconfig)}) as connection:
        yield connection


async def test_a_lease_is_made_once_and_changed_only_as_it_was_read(api: Api, namespace: str) -> None:
    one, all_of_them = LEASE.path(namespace, "one"), LEASE.path(namespace)
    empty = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": {"name": "one", "namespace": namespace}}
    with pytest.raises(NotThere):
        await api.request("get", one)
    made = await api.request("post", all_of_them, body=empty | {"spec": {}})
    assert made["spec"] == {}
    with pytest.raises(Conflicting):
        await api.request("post", all_of_them, body=empty | {"spec": {}})

    taken = await api.request("put", one, body=made | {"spec": {"holderIdentity": "a"}})
    assert (await api.request("get", one))["spec"] == {"holderIdentity": "a"}
    with pytest.raises(Conflicting):
        await api.request("put", one, body=made | {"spec": {"holderIdentity": "b"}})

    await api.request("delete", one)
    with pytest.raises(Conflicting):
        await api.request("put", one, body=taken)
    await api.request("post", all_of_them, body=empty | {"spec": {}})
    with pytest.raises(Conflicting):
        await api.request("put", one, body=taken)
