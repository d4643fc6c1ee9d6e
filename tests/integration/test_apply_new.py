"""Making an object by one request that never touches one that is there: the API server itself, kind by kind."""

from typing import Any

import pytest
from whisper_operator.cluster.connection import connect
from whisper_operator.cluster.errors import Conflicting
from whisper_operator.cluster.kinds import kind_of
from whisper_operator.plan.ownership import MANAGER

from tests.support.kubectl import Kubectl

POD: dict[str, Any] = {"containers": [{"name": "a", "image": "a:1"}]}
SELECTOR = {"matchLabels": {"a": "b"}}
TEMPLATE: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
SPECS: list[tuple[str, str, dict[str, Any]]] = [
    ("v1", "ConfigMap", {"data": {"a": "b"}}),
    ("v1", "Service", {"spec": {"selector": {"a": "b"}, "ports": [{"port": 80, "protocol": "TCP"}]}}),
    ("apps/v1", "Deployment", {"spec": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE}}),
    ("policy/v1", "PodDisruptionBudget", {"spec": {"maxUnavailable": 1, "selector": SELECTOR}}),
    ("batch/v1", "Job", {"spec": {"template": {"spec": POD | {"restartPolicy": "Never"}}}}),
    (
        "v1",
        "PersistentVolumeClaim",
        {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
    ),
]


@pytest.mark.parametrize(("api_version", "kind", "rest"), SPECS, ids=[kind for _, kind, _ in SPECS])
async def test_what_is_not_there_is_made_as_by_any_apply_and_what_is_there_is_left_alone(
    api_version: str, kind: str, rest: dict[str, Any], api_server: Kubectl, namespace: str
) -> None:
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "one", "namespace": namespace}, **rest}
    where = kind_of(api_version, kind)
    async with connect({"KUBECONFIG": str(api_server.kubeconfig)}) as connection:
        made = await connection.apply_new(manifest, where)
        ours = [one["operation"] for one in made["metadata"]["managedFields"] if one["manager"] == MANAGER]
        assert ours == ["Apply"], "or a field that a later plan leaves out would stay"

        labelled = manifest | {"metadata": manifest["metadata"] | {"labels": {"c": "d"}}}
        with pytest.raises(Conflicting):
            await connection.apply_new(labelled, where)

        assert "c" not in ((await connection.get(where, namespace, "one"))["metadata"].get("labels") or {})
