"""Where faults happen: two cpu pods and two routers on two nodes, and what injectors need to know of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from signal import Signals
from typing import Any

from tests.cluster.builtin import Builtin
from tests.cluster.errors import UnsupportedError
from tests.e2e.environment import Environment, make_namespace
from tests.e2e.hub import Hub, deployed
from tests.e2e.resources import model_set, whisper_service
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

NAMESPACE, NAME, NODES = "faults", "speech", ("node1", "node2")
CPU, ROUTER = "cpu", "router"
STEADY, LOST = NODES
"""The node that stays, and the one that is lost."""
REQUEST_SECONDS = 300
SETTLE_WITHIN = 300
SHARED_CLAIM = {"claimTemplate": {"accessModes": ["ReadWriteMany"], "size": "1Gi"}}

SERVICE: dict[str, Any] = {
    "runtimes": {
        "cpu": {
            "replicas": 2,
            # a thread each: two pods with two would fight over a small machine's two cores
            "resources": {"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "2Gi"}},
            # fifty callers with 2.7 s each fit in one pod's queue, and not much more does
            "queue": {"maxAudioSeconds": 150},
        }
    },
    "routing": {
        "replicas": 2,
        "timeouts": {"request": f"{REQUEST_SECONDS}s"},
    },
    "exposure": {"type": "NodePort"},
}


@dataclass(frozen=True)
class Pod:
    """What an injector asks of a pod."""

    name: str
    node: str
    address: str
    container: str
    """`containerd://…`, of its first container."""

    @classmethod
    def read(cls, found: dict[str, Any]) -> "Pod":
        status = found["status"]
        container = status["containerStatuses"][0]["containerID"]
        return cls(found["metadata"]["name"], found["spec"]["nodeName"], status["podIP"], container)


@dataclass(frozen=True)
class Scene:
    """The service, its cluster, and a hub of its own that may misbehave."""

    environment: Environment
    cluster: Builtin
    kubectl: Kubectl
    hub: Hub
    notes: list[str] = field(default_factory=list)
    """Figures that injectors measure, for whoever reports."""

    def note(self, what: str) -> None:
        self.notes.append(what)

    def pods(self, component: str) -> list[Pod]:
        """The Ready pods of the service's cpu runtime or router, that of the first node first."""
        return ready_pods(self.kubectl, labels(component))

    def on(self, node: str, component: str) -> Pod:
        return next(pod for pod in self.pods(component) if pod.node == node)

    def signal(self, pod: Pod, what: Signals) -> None:
        self.cluster.signal(pod.container, what)

    def urls(self, nodes: Sequence[str] = NODES) -> list[str]:
        """The Service, by its port on each of these nodes."""
        port = self.kubectl.get("service", NAME)["spec"]["ports"][0]["nodePort"]
        addresses = self.cluster.status()["addresses"]
        return [f"http://{addresses[node]}:{port}" for node in nodes]

    def router_url(self, node: str) -> str:
        """One router, without the Service in front of it."""
        return f"http://{self.on(node, ROUTER).address}:8080"

    def patch(self, spec: Mapping[str, Any]) -> None:
        """Change the service as a user would; nothing of it is awaited."""
        self.kubectl.run("patch", "wsvc", NAME, "--type=merge", "-p", json.dumps({"spec": spec}))

    @contextmanager
    def changed(self, spec: Mapping[str, Any]) -> Iterator[None]:
        """Another spec for as long as the block lasts; back at rest at both of its ends."""
        if not spec:
            yield
            return
        self.patch(spec)
        try:
            self.settle()
            yield
        finally:
            self.patch(_without(spec))
            self.settle()

    def rolled_out(self, component: str, within: int = 180) -> None:
        self.kubectl.run("rollout", "status", f"deployment/{NAME}-{component}", f"--timeout={within}s", timeout=within)

    def settle(self) -> None:
        """As at the start: all Ready, one pod of a kind on each node, and the routers find both runtimes well."""
        wait_until(self._settled, within=SETTLE_WITHIN, every=1, what="the service is as at the start")

    def _settled(self) -> bool:
        found = self.kubectl.get("wsvc", NAME)
        assert found["status"].get("observedGeneration") == found["metadata"]["generation"], "the spec is news"
        for component in (CPU, ROUTER):
            assert self._is_rolled_out(component), f"the {component} Deployment is under way"
            pods = self.kubectl.items("pods", "-l", labels(component))
            assert len(pods) == len(NODES), f"{len(pods)} {component} pods"
            assert all(is_ready(pod) for pod in pods), f"a {component} pod is not ready"
            if len({pod["spec"]["nodeName"] for pod in pods}) < len(NODES):
                self.kubectl.run("delete", "pod", pods[0]["metadata"]["name"])  # the scheduler spreads them again
                return False
        healthy = [runtime.get("healthy") for runtime in found["status"]["runtimes"]]
        assert healthy == [len(NODES)], f"the router finds {healthy} healthy"
        return self.kubectl.condition("wsvc", NAME, "Ready").get("status") == "True"

    def _is_rolled_out(self, component: str) -> bool:
        found = self.kubectl.get("deployment", f"{NAME}-{component}")
        status = found["status"]
        current = status.get("observedGeneration") == found["metadata"]["generation"]
        return bool(current and status.get("replicas") == status.get("updatedReplicas") == len(NODES))


def _without(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that takes these fields away again."""
    return {name: _without(value) if isinstance(value, Mapping) else None for name, value in spec.items()}


def labels(component: str) -> str:
    return f"whisper.livetranslate.io/service={NAME},app.kubernetes.io/component={component}"


def ready_pods(kubectl: Kubectl, selector: str) -> list[Pod]:
    pods = [Pod.read(pod) for pod in kubectl.items("pods", "-l", selector) if is_ready(pod)]
    return sorted(pods, key=lambda pod: pod.node)


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    leaves = "deletionTimestamp" in pod["metadata"]
    return not leaves and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@contextmanager
def opened(environment: Environment) -> Iterator[Scene]:
    """The service in a namespace of its own, Ready, for as long as the block lasts."""
    cluster = environment.provider
    if not isinstance(cluster, Builtin):
        raise UnsupportedError("faults are made on the built-in cluster alone: unset CLUSTER")
    kubectl = make_namespace(environment.kubectl, NAMESPACE)
    with deployed(kubectl, environment.images["testhub"], STEADY) as hub:
        kubectl.apply([model_set(storage=SHARED_CLAIM), whisper_service(NAME, **SERVICE)])
        kubectl.wait_condition("wsvc", NAME, "Ready", within=300)
        scene = Scene(environment, cluster, kubectl, hub)
        scene.settle()
        yield scene
    environment.kubectl.run("delete", "namespace", NAMESPACE, "--wait=true", timeout=180)
