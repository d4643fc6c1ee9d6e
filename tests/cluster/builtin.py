"""The built-in cluster: real Kubernetes on this machine without Docker, every node a set of namespaces."""

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from signal import Signals
from typing import Any

from tests.cluster import cgroups, containers, doctor, images, network, node, remains, slots
from tests.cluster.addresses import MAX_NODES, Addresses, node_name
from tests.cluster.api import Api
from tests.cluster.binaries import Binaries
from tests.cluster.bringup import Bringup
from tests.cluster.errors import ClusterError, MissingError
from tests.cluster.instance import Instance
from tests.cluster.node_files import Node
from tests.cluster.processes import run
from tests.cluster.provider import Shape
from tests.cluster.settings import Say


class Builtin:
    """One cluster by name; several can be up at once, each in a slot of its own."""

    def __init__(self, cache: Path, name: str, say: Say) -> None:
        self._name = name
        self._instance = Instance(cache / "cluster" / name)
        self._binaries = Binaries(cache)
        self._say = say

    def up(self, shape: Shape) -> None:
        """Nothing to do, more nodes, or all anew: whatever a crash left behind goes first."""
        _require_root()
        if not 1 <= shape.nodes <= MAX_NODES:
            raise ClusterError(f"--nodes {shape.nodes}: a cluster here has 1 to {MAX_NODES} nodes")
        for finding in doctor.kernel():
            raise MissingError(finding.says)
        self._binaries.build(say=self._say)
        began = time.monotonic()
        with self._instance.exclusively():
            there = self._healthy_shape()
            if there == shape:
                self._say(f"the cluster is up already: {shape.nodes} nodes Ready")
                return
            if there and there.nodes < shape.nodes and replace(there, nodes=shape.nodes) == shape:
                self._bringup(shape).nodes(first=there.nodes + 1)
            else:
                self._start_over(shape)
        self._say(f"{shape.nodes} nodes Ready after {time.monotonic() - began:.0f} s")

    def down(self) -> None:
        _require_root()
        with self._instance.exclusively():
            self._remove()
        self._say(f"the cluster {self._name!r} is down; nothing of it is left")

    def load(self, archives: Sequence[Path]) -> None:
        with self._instance.exclusively():
            images.load([one.socket for one in self._nodes()], archives, self._binaries, self._say)
            self._instance.keep_images([*self._instance.images(), *(archive.absolute() for archive in archives)])

    def kubeconfig(self) -> Path:
        self._shape()
        return self._instance.kubeconfig

    @property
    def volumes(self) -> Path:
        """Where the folders of its volumes are on the host."""
        return self._instance.volumes

    def kill(self, name: str) -> None:
        """A power cut; `mend` brings the node back."""
        node.kill(self._node(name), cgroups.detect())

    def cut(self, name: str) -> None:
        """The node runs on, and reaches no one."""
        network.cut(self._addresses(), self._node(name).number)

    def mend(self, name: str) -> None:
        """Undo `cut` or `kill`."""
        groups, mended = cgroups.detect(), self._node(name)
        if node.is_running(mended, groups):
            network.mend(self._addresses(), mended.number)
        else:
            node.restart(mended, groups, self._binaries, self._instance.credentials)

    def signal(self, container: str, what: Signals) -> None:
        """Send a signal to every process of a container (`containerd://…`, as a pod's status names it)."""
        containers.send(self._processes(container), what)

    def signal_children(self, container: str, what: Signals) -> None:
        """Send a signal to those processes of a container that its first one has started."""
        containers.send(containers.children(self._processes(container)), what)

    def unplugged(self, container: str, ports: tuple[int, ...]) -> AbstractContextManager[None]:
        """A block for which a container's pod is cut off from these TCP ports, wherever they are."""
        return containers.unplugged(min(self._processes(container)), ports)

    def signal_program(self, name: str, what: Signals) -> None:
        """Send a signal to a program of the control plane, `kube-apiserver` for example."""
        containers.send({int((self._instance.logs / f"{name}.pid").read_text())}, what)

    def inside(self, node: str, command: Sequence[str]) -> str:
        """Run a command with a node's eyes: its file systems, its network."""
        init = (self._instance.logs / f"{self._node(node).name}-init.pid").read_text().strip()
        child = Path("/proc", init, "task", init, "children").read_text().split()[0]
        return run(["nsenter", f"--target={child}", "--mount", "--net", *command])

    def _processes(self, container: str) -> set[int]:
        identifier = container.removeprefix("containerd://")
        return containers.processes(cgroups.detect(), self._addresses().prefix, identifier)

    def status(self) -> dict[str, Any]:
        """What is known, for people and for scripts."""
        if self._instance.shape() is None:
            return {"instance": self._name, "up": False}
        ready = Api(self._instance.kubeconfig).ready_nodes()
        plan, nodes = self._addresses(), self._nodes()
        return {
            "instance": self._name,
            "up": True,
            "kubeconfig": str(self._instance.kubeconfig),
            "nodes": {one.name: "Ready" if one.name in ready else "NotReady" for one in nodes},
            "addresses": {one.name: str(plan.node(one.number)) for one in nodes},
            "processes": len(cgroups.members(cgroups.detect(), plan.prefix)),
            "logs": str(self._instance.logs),
        }

    def _healthy_shape(self) -> Shape | None:
        """The shape of what is up, if all of it is well."""
        shape = self._instance.shape()
        if shape is None or not slots.of(self._instance.folder):
            return None
        names = {node_name(number) for number in range(1, shape.nodes + 1)}
        return shape if Api(self._instance.kubeconfig).ready_nodes() == names else None

    def _start_over(self, shape: Shape) -> None:
        archives = self._instance.images()
        self._remove()
        self._instance.folder.mkdir()  # first: a slot whose folder is not there counts as abandoned
        slots.claim(self._instance.folder)
        self._instance.keep_images(archives)
        self._bringup(shape).everything()

    def _bringup(self, shape: Shape) -> Bringup:
        return Bringup(self._instance, self._addresses(), shape, self._binaries, self._say)

    def _remove(self) -> None:
        groups = cgroups.detect()
        for slot in [*slots.of(self._instance.folder), *slots.abandoned()]:
            remains.remove(slot, groups)
        if self._instance.folder.exists():
            shutil.rmtree(self._instance.folder)

    def _shape(self) -> Shape:
        shape = self._instance.shape()
        if shape is None or not slots.of(self._instance.folder):
            command = f"python3 -m tests.cluster --instance {self._name} up"
            raise ClusterError(f"the cluster {self._name!r} is not up; bring it up: {command}")
        return shape

    def _addresses(self) -> Addresses:
        return Addresses(slots.of(self._instance.folder)[0])

    def _nodes(self) -> list[Node]:
        shape, plan = self._shape(), self._addresses()
        return [self._instance.node(number, plan, shape) for number in range(1, shape.nodes + 1)]

    def _node(self, name: str) -> Node:
        by_name = {one.name: one for one in self._nodes()}
        if name not in by_name:
            raise ClusterError(f"{name} is not a node of this cluster; it has {', '.join(by_name)}")
        return by_name[name]


def _require_root() -> None:
    if os.geteuid() != 0:
        raise MissingError("the built-in cluster needs root (namespaces, mounts, cgroups): run it with sudo")
