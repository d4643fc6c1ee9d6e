"""The rights that the chart gives the operator, as the real Helm renders them, and somebody who has just these."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.integration.conftest import ROOT
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

Object = dict[str, Any]
RIGHTS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
PREFIX = "WHISPER_OPERATOR_"
Grant = tuple[str, str, str]
"""API group, resource with its subresource, verb."""


def rendered(helm: Path, namespace: str, **values: Any) -> list[Object]:
    """The whole chart, released into the namespace under the namespace's own name."""
    command = [str(helm), "template", namespace, str(ROOT / "charts/whisper-operator"), "-n", namespace, "-f", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=True, timeout=120)
    found = [one for one in yaml.safe_load_all(done.stdout) if one]
    for one in found:
        if not one["kind"].startswith("Cluster") and one["kind"] != "CustomResourceDefinition":
            one["metadata"].setdefault("namespace", namespace)
    return found


def rights(objects: list[Object]) -> list[Object]:
    return [one for one in objects if one["kind"] in RIGHTS]


def grants(objects: list[Object]) -> set[Grant]:
    return {
        (group, resource, verb)
        for one in objects
        if one["kind"] in ("Role", "ClusterRole")
        for rule in one["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def settings(objects: list[Object], namespace: str) -> dict[str, str]:
    """How the chart's Deployment configures the operator, as `operator_process` takes it."""
    pod = next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    fields = {"metadata.namespace": namespace, "metadata.name": f"{namespace}-0", "status.podIP": "127.0.0.1"}
    return {
        one["name"].removeprefix(PREFIX).lower(): one["value"]
        if "value" in one
        else fields[one["valueFrom"]["fieldRef"]["fieldPath"]]
        for one in pod["containers"][0]["env"]
        if one["name"].startswith(PREFIX)
    }


@dataclass(frozen=True)
class Account:
    """The operator's service account on the API server."""

    objects: list[Object]
    namespace: str
    name: str
    token: str
    kubeconfig: Path

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.name}"


@contextmanager
def account(api_server: Kubectl, objects: list[Object], namespace: str, folder: Path) -> Iterator[Account]:
    """Somebody with exactly the rights among these objects, for as long as the block lasts."""
    granted = rights(objects)
    api_server.apply(granted)
    name = next(one["metadata"]["name"] for one in granted if one["kind"] == "ServiceAccount")
    token = api_server.within(namespace).run("create", "token", name).strip()
    known = json.loads(api_server.run("config", "view", "--raw", "--flatten", "-o", "json"))
    known["users"] = [{"name": one["name"], "user": {"token": token}} for one in known["users"]]
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(known))
    found = Account(objects, namespace, name, token, kubeconfig)
    # the API server learns of rights a moment after they are written
    may = ("auth", "can-i", "list", "pods", f"--as={found.user}")
    wait_until(lambda: api_server.within(namespace).run(*may), within=60, what="the account has its rights")
    try:
        yield found
    finally:
        api_server.run("delete", "-f", "-", "--ignore-not-found", stdin=yaml.safe_dump_all(granted))
