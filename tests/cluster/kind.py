"""A cluster by `kind`, for people with Docker.

Its usual storage gives each node volumes of its own. Ours share one folder over all nodes, so that ReadWriteMany works
as it does on the built-in cluster.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.cluster import images
from tests.cluster.binaries import CLIENTS, Binaries
from tests.cluster.errors import ClusterError, MissingError
from tests.cluster.processes import run
from tests.cluster.provider import Shape
from tests.cluster.settings import Say

SHARED = "/var/shared-volumes"
READY_WITHIN = "180s"


def config(shape: Shape, volumes: Path) -> dict[str, Any]:
    """kind's configuration: one control plane, and as many workers as the shape has nodes. Pure."""
    mount = [{"hostPath": str(volumes), "containerPath": SHARED}]
    roles = ["control-plane", *["worker"] * shape.nodes]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": role, "extraMounts": mount} for role in roles],
    }


def storage_patch() -> dict[str, Any]:
    """The settings with which kind's storage provisioner shares one folder over all nodes. Pure."""
    return {"data": {"config.json": json.dumps({"sharedFileSystemPath": SHARED})}}


class Kind:
    """One kind cluster by name."""

    def __init__(self, cache: Path, name: str, say: Say) -> None:
        self._binaries = Binaries(cache)
        self._cluster = f"whisper-{name}"
        self._folder = cache / "cluster" / f"kind-{name}"
        self._say = say

    def up(self, shape: Shape) -> None:
        for program, where in (
            ("docker", "https://docs.docker.com/engine/install"),
            ("kind", "https://kind.sigs.k8s.io"),
        ):
            if not shutil.which(program):
                raise MissingError(f"CLUSTER=kind needs {program}: install it ({where}), or unset CLUSTER")
        self._binaries.build(CLIENTS, say=self._say)
        if self._cluster in run(["kind", "get", "clusters"]).split():
            self._say(f"the kind cluster {self._cluster} is up already")
        else:
            self._create(shape)
        self._kubeconfig.write_text(run(["kind", "get", "kubeconfig", "--name", self._cluster]))

    def down(self) -> None:
        run(["kind", "delete", "cluster", "--name", self._cluster])
        shutil.rmtree(self._folder, ignore_errors=True)
        self._say(f"the kind cluster {self._cluster} is deleted")

    def load(self, archives: Sequence[Path]) -> None:
        nodes = run(["kind", "get", "nodes", "--name", self._cluster]).split()
        listing = ["ctr", "--namespace", "k8s.io", "images", "ls"]
        there = [images.listed(run(["docker", "exec", node, *listing])) for node in nodes]
        for archive in archives:
            wanted = images.in_archive(archive)
            if not all(wanted <= node for node in there):
                run(["kind", "load", "image-archive", str(archive), "--name", self._cluster])
                self._say(f"loaded {archive.name}")

    def kubeconfig(self) -> Path:
        if not self._kubeconfig.exists():
            raise ClusterError("the kind cluster is not up; bring it up: CLUSTER=kind python3 -m tests.cluster up")
        return self._kubeconfig

    @property
    def _kubeconfig(self) -> Path:
        return self._folder / "kubeconfig"

    def _create(self, shape: Shape) -> None:
        volumes = self._folder / "volumes"
        volumes.mkdir(parents=True, exist_ok=True)
        file = self._folder / "kind.json"
        file.write_text(json.dumps(config(shape, volumes), indent=1))
        run(["kind", "create", "cluster", "--name", self._cluster, "--config", str(file), "--wait", READY_WITHIN])
        kubectl = [
            "docker",
            "exec",
            f"{self._cluster}-control-plane",
            "kubectl",
            "--kubeconfig=/etc/kubernetes/admin.conf",
        ]
        storage = [*kubectl, "--namespace=local-path-storage"]
        run([*storage, "patch", "configmap", "local-path-config", "--patch", json.dumps(storage_patch())])
        run([*storage, "rollout", "restart", "deployment", "local-path-provisioner"])
        run([*storage, "rollout", "status", "deployment", "local-path-provisioner", f"--timeout={READY_WITHIN}"])
        self._say(f"the kind cluster {self._cluster} is up: {shape.nodes} workers")
