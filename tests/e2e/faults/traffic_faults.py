"""Faults of what requests pass through: pods, routers, nodes."""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGKILL, SIGSTOP

import httpx

from tests.e2e.faults.fault import Length
from tests.e2e.faults.scene import CPU, LOST, NAME, ROUTER, Pod, Scene
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until
from tests.support.words import JFK

RUNTIME_PORT = 5004
FILLERS = 16
"""Eleven seconds of audio each: more than the queue of a pod holds."""


@contextmanager
def cpu_pod_killed(scene: Scene, _: Length) -> Iterator[None]:
    scene.signal(scene.on(LOST, CPU), SIGKILL)
    yield


@contextmanager
def cpu_pod_stopped(scene: Scene, _: Length) -> Iterator[None]:
    """Nobody wakes it: the node's own probe ends it, and the node starts it again."""
    scene.signal(scene.on(LOST, CPU), SIGSTOP)
    yield


@contextmanager
def cpu_pod_drained(scene: Scene, _: Length) -> Iterator[None]:
    evict(scene.kubectl, scene.on(LOST, CPU))
    yield


@contextmanager
def cpu_pod_busy(scene: Scene, _: Length) -> Iterator[None]:
    with busy(f"http://{scene.on(LOST, CPU).address}:{RUNTIME_PORT}"):
        yield


@contextmanager
def busy(url: str) -> Iterator[None]:
    """Others fill a pod's queue, going past the router."""
    enough = threading.Event()
    fillers = [threading.Thread(target=_fill, args=(url, enough)) for _ in range(FILLERS)]
    for filler in fillers:
        filler.start()
    try:
        wait_until(lambda: _is_full(url), within=60, every=0.05, what="the pod's queue is full")
        yield
    finally:
        enough.set()
        for filler in fillers:
            filler.join()


def _fill(url: str, enough: threading.Event) -> None:
    audio = JFK.read_bytes()
    with httpx.Client(timeout=300, trust_env=False) as client:
        while not enough.is_set():
            answer = client.post(f"{url}/transcribe", files={"file": ("jfk.wav", audio)})
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                enough.wait(0.2)


def _is_full(url: str) -> bool:
    answer = httpx.post(f"{url}/transcribe", files={"file": ("jfk.wav", JFK.read_bytes())}, timeout=300)
    return answer.status_code == httpx.codes.SERVICE_UNAVAILABLE


@contextmanager
def cpu_rolled_out(scene: Scene, _: Length) -> Iterator[None]:
    """Every cpu pod is replaced, as when its spec changes."""
    before = _generation(scene, CPU)
    scene.patch({"runtimes": {"cpu": {"env": [{"name": "VERSION", "value": secrets.token_hex(3)}]}}})
    wait_until(lambda: _generation(scene, CPU) > before, within=30, what="the runtime's Deployment changes")
    scene.rolled_out(CPU)
    yield


@contextmanager
def router_killed(scene: Scene, _: Length) -> Iterator[None]:
    scene.signal(scene.on(LOST, ROUTER), SIGKILL)
    yield


@contextmanager
def router_drained(scene: Scene, _: Length) -> Iterator[None]:
    evict(scene.kubectl, scene.on(LOST, ROUTER))
    yield


@contextmanager
def router_configured(scene: Scene, _: Length) -> Iterator[None]:
    """A user changes a limit, and every router is replaced by one that knows it."""
    wanted = "60Mi" if scene.kubectl.get("wsvc", NAME)["spec"]["routing"].get("maxUploadSize") != "60Mi" else "64Mi"
    before = _generation(scene, ROUTER)
    scene.patch({"routing": {"maxUploadSize": wanted}})
    wait_until(lambda: _generation(scene, ROUTER) > before, within=30, what="the router's Deployment changes")
    scene.rolled_out(ROUTER)
    yield


def _generation(scene: Scene, component: str) -> int:
    found: int = scene.kubectl.get("deployment", f"{NAME}-{component}")["metadata"]["generation"]
    return found


@contextmanager
def node_lost(scene: Scene, _: Length) -> Iterator[None]:
    scene.cluster.kill(LOST)
    try:
        yield
    finally:
        scene.cluster.mend(LOST)
        scene.environment.kubectl.wait_condition("node", LOST, "Ready", within=120)


def evict(kubectl: Kubectl, pod: Pod) -> None:
    """What `kubectl drain` asks for each pod of a node; a disruption budget may refuse it."""
    meta = {"name": pod.name, "namespace": kubectl.namespace}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/{pod.name}/eviction"
    kubectl.run("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
