"""Where faults happen: services on two nodes, and what injectors need to know of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from signal import Signals
from typing import Any

from tests.cluster.builtin import Builtin
from tests.cluster.errors import UnsupportedError
from tests.e2e.environment import Environment, make_namespace, say
from tests.e2e.hub import Hub, deployed
from tests.e2e.resources import model_set, whisper_service
from tests.support.kubectl import Kubectl, is_ready
from tests.support.waiting import wait_until

NAME, NODES = "speech", ("node1", "node2")
CPU, NPU, ROUTER = "cpu", "npu", "router"
STEADY, LOST = NODES
"""The node that stays, and the one that is lost."""
REQUEST_SECONDS = 300
SETTLE_WITHIN = 300
NAMESPACE_SECONDS = 240
"""Where something in it ends slowly, Kubernetes looks again after half of the longest grace, 158 s."""
SHARED_CLAIM = {"claimTemplate": {"accessModes": ["ReadWriteMany"], "size": "1Gi"}}

ONNX, OPENVINO = {"format": "onnx", "precision": "int8"}, {"format": "openvino", "precision": "int8"}

RUNTIME: dict[str, Any] = {
    # a thread each: two pods with two would fight over a small machine's two cores
    "resources": {"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "2Gi"}},
    # fifty callers with 2.7 s each fit in one pod's queue, and not much more does
    "queue": {"maxAudioSeconds": 150},
}
NPU_LABEL = "whisper.livetranslate.io/npu"


@dataclass(frozen=True, eq=False)
class Setting:
    """A service that faults happen to, with two routers, one on each node.

    Attributes:
        namespace: its own.
        variants: what its model is there as.
        runtimes: as its spec says.
        pods: how many there are of each runtime, in the order of the chain.
        labels: of nodes, while it is there.
    """

    namespace: str
    variants: Sequence[Mapping[str, str]]
    runtimes: Mapping[str, Any]
    pods: Mapping[str, int]
    labels: Mapping[str, str] = field(default_factory=dict)

    def manifests(self) -> list[dict[str, Any]]:
        routing = {"replicas": len(NODES), "timeouts": {"request": f"{REQUEST_SECONDS}s"}}
        spec: dict[str, Any] = {"runtimes": self.runtimes, "routing": routing, "exposure": {"type": "NodePort"}}
        models = [{"name": "tiny.en", "variants": self.variants}]
        return [model_set(models=models, storage=SHARED_CLAIM), whisper_service(NAME, **spec)]


SIBLINGS = Setting("faults", [ONNX], {CPU: {**RUNTIME, "replicas": len(NODES)}}, {CPU: len(NODES)})
"""Two cpu pods."""
CHAIN = Setting(
    "npu-faults",
    [OPENVINO, ONNX],
    {
        # no node here has one: it serves from OpenVINO's CPU device, by the same engine and the same chain
        NPU: {**RUNTIME, "deviceOrder": ["CPU"], "placement": {"nodeSelector": {NPU_LABEL: "true"}}},
        CPU: {**RUNTIME, "placement": {"nodeSelector": {"kubernetes.io/hostname": STEADY}}},
    },
    {NPU: 1, CPU: 1},
    {LOST: NPU_LABEL},
)
"""An npu pod on the node that is lost, and a cpu pod on the one that stays."""


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

    setting: Setting
    environment: Environment
    cluster: Builtin
    kubectl: Kubectl
    hub: Hub
    notes: list[str] = field(default_factory=list)
    """Figures that injectors measure, for whoever reports."""

    def note(self, what: str) -> None:
        self.notes.append(what)
        say(what)

    def pods(self, component: str) -> list[Pod]:
        """The Ready pods of a runtime of the service, or of its router, that of the first node first."""
        return ready_pods(self.kubectl, labels(component))

    def on(self, node: str, component: str) -> Pod:
        return next(pod for pod in self.pods(component) if pod.node == node)

    def signal(self, pod: Pod, what: Signals) -> None:
        self.cluster.signal(pod.container, what)

    def status(self) -> dict[str, Any]:
        """What the operator says of the service."""
        found: dict[str, Any] = self.kubectl.get("wsvc", NAME)["status"]
        return found

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
        """As at the start: all Ready, one pod of a kind on each node, and the routers find every runtime well."""
        wait_until(self._settled, within=SETTLE_WITHIN, every=1, what="the service is as at the start")

    def _settled(self) -> bool:
        found = self.kubectl.get("wsvc", NAME)
        assert found["status"].get("observedGeneration") == found["metadata"]["generation"], "the spec is news"
        if not all(self._has_its_pods(*kind) for kind in (*self.setting.pods.items(), (ROUTER, len(NODES)))):
            return False
        healthy = {runtime["name"]: runtime.get("healthy") for runtime in found["status"]["runtimes"]}
        assert healthy == self.setting.pods, f"the router finds {healthy} healthy"
        return self.kubectl.condition("wsvc", NAME, "Ready").get("status") == "True"

    def _has_its_pods(self, component: str, count: int) -> bool:
        """As many as there should be, all Ready, all new; False where they are being spread over the nodes again."""
        assert self._is_rolled_out(component, count), f"the {component} Deployment is under way"
        pods = self.kubectl.items("pods", "-l", labels(component))
        assert len(pods) == count, f"{len(pods)} {component} pods"
        assert all(is_ready(pod) for pod in pods), f"a {component} pod is not ready"
        if len({pod["spec"]["nodeName"] for pod in pods}) == count:
            return True
        self.kubectl.run("delete", "pod", pods[0]["metadata"]["name"])  # the scheduler puts it elsewhere
        return False

    def _is_rolled_out(self, component: str, count: int) -> bool:
        found = self.kubectl.get("deployment", f"{NAME}-{component}")
        status = found["status"]
        current = status.get("observedGeneration") == found["metadata"]["generation"]
        return bool(current and status.get("replicas") == status.get("updatedReplicas") == count)


def _without(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that takes these fields away again."""
    return {name: _without(value) if isinstance(value, Mapping) else None for name, value in spec.items()}


def labels(component: str) -> str:
    return f"whisper.livetranslate.io/service={NAME},app.kubernetes.io/component={component}"


def ready_pods(kubectl: Kubectl, selector: str) -> list[Pod]:
    pods = [Pod.read(pod) for pod in kubectl.items("pods", "-l", selector) if is_ready(pod)]
    return sorted(pods, key=lambda pod: pod.node)


@contextmanager
def opened(environment: Environment, setting: Setting) -> Iterator[Scene]:
    """The service in a namespace of its own, Ready, for as long as the block lasts."""
    cluster = environment.provider
    if not isinstance(cluster, Builtin):
        raise UnsupportedError("faults are made on the built-in cluster alone: unset CLUSTER")
    kubectl = make_namespace(environment.kubectl, setting.namespace)
    with deployed(kubectl, environment.images["testhub"], STEADY) as hub, labelled(kubectl, setting.labels):
        kubectl.apply(setting.manifests())
        kubectl.wait_condition("wsvc", NAME, "Ready", within=300)
        scene = Scene(setting, environment, cluster, kubectl, hub)
        scene.settle()
        yield scene
        _take_away(kubectl)
    environment.kubectl.run("delete", "namespace", setting.namespace, "--wait=true", timeout=NAMESPACE_SECONDS)


def _take_away(kubectl: Kubectl) -> None:
    """The service before its namespace: Kubernetes looks again after half of the grace of pods that still end."""
    kubectl.run("delete", "wsvc", NAME)
    ended = ("pods", "-l", f"whisper.livetranslate.io/service={NAME}")
    wait_until(lambda: not kubectl.items(*ended), within=120, every=1, what="the service's pods are gone")


@contextmanager
def labelled(kubectl: Kubectl, labels: Mapping[str, str]) -> Iterator[None]:
    """Nodes that have these labels, `true`, for as long as the block lasts."""
    for node, label in labels.items():
        kubectl.run("label", "node", node, f"{label}=true", "--overwrite")
    yield
    for node, label in labels.items():
        kubectl.run("label", "node", node, f"{label}-")
