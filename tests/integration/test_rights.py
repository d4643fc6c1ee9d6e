"""The operator with the rights that the chart gives it, and no others: they are enough for all that it does."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.binaries import Binaries
from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.conftest import ROOT
from tests.integration.operator_process import operator_process
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

RIGHTS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
ALLOWED_TO_FAIL = 'status="404"'
"""What is not there yet is asked for."""


@pytest.fixture(scope="session")
def helm(binaries: Binaries) -> Path:
    binaries.build(["helm"], say=print)
    return binaries.path("helm")


def rights(helm: Path, namespace: str, **values: Any) -> list[dict[str, Any]]:
    """What the chart makes so that the operator may do its work."""
    command = [str(helm), "template", namespace, str(ROOT / "charts/whisper-operator"), "-n", namespace, "-f", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=True, timeout=120)
    rendered = [one for one in yaml.safe_load_all(done.stdout) if one and one["kind"] in RIGHTS]
    for one in rendered:
        if one["kind"] == "ServiceAccount":
            one["metadata"]["namespace"] = namespace
    return rendered


def with_token(place: Kubectl, account: str, folder: Path) -> Path:
    """A kubeconfig for a service account."""
    found = json.loads(place.run("config", "view", "--raw", "--flatten", "-o", "json"))
    token = place.run("create", "token", account).strip()
    found["users"] = [{"name": one["name"], "user": {"token": token}} for one in found["users"]]
    path = folder / "kubeconfig"
    path.write_text(json.dumps(found))
    return path


def stray(place: Kubectl) -> dict[str, Any]:
    """Something that an earlier version of the operator could have made for the service."""
    owner = place.get("wsvc", "speech")
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
    meta = {
        "name": "stray",
        "labels": place.get("deployment", "speech-cpu")["metadata"]["labels"],
        "ownerReferences": [reference | {name: owner["metadata"][name] for name in ("name", "uid")}],
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


@pytest.mark.parametrize("scope", ["cluster", "namespace"])
def test_the_rights_of_the_chart_are_enough(
    scope: str, helm: Path, api_server: Kubectl, namespace: str, tmp_path: Path
) -> None:
    place = api_server.within(namespace)
    served = [namespace] if scope == "namespace" else []
    granted = rights(helm, namespace, watchNamespaces=served)
    place.apply(granted)
    account = next(one["metadata"]["name"] for one in granted if one["kind"] == "ServiceAccount")
    settings = {"namespaces": namespace} if served else {}
    try:
        with operator_process(with_token(place, account, tmp_path), tmp_path / "log", **settings) as operator:
            place.apply([model_set(), whisper_service()])
            jobs.succeed(place, "download")
            jobs.succeed(place, "convert")
            place.wait_condition("wsvc", "speech", "ModelsReady", within=30)
            wait_until(lambda: place.find("deployment", "speech-cpu"), within=30, what="the runtime is made")
            place.apply([stray(place)])
            wait_until(lambda: not place.find("configmap", "stray"), within=30, what="what is superfluous goes")
            wait_until(lambda: not place.items("jobs"), within=30, what="Jobs that are done go")
            failed = [
                line
                for line in operator.get("/metrics")[1].splitlines()
                if line.startswith("whisper_operator_api_requests_total") and 'status="2' not in line
            ]
            assert not [line for line in failed if ALLOWED_TO_FAIL not in line]
        assert "forbidden" not in (tmp_path / "log").read_text().lower()
    finally:
        place.run("delete", "-f", "-", stdin=yaml.safe_dump_all(granted))
