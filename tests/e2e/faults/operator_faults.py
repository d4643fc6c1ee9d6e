"""Faults of what makes things happen: the operator's leader and the API server, half-way through work."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any

from scripts.demo_run.settings import OPERATOR_NAMESPACE
from tests.e2e.faults.fault import Length
from tests.e2e.faults.scene import CPU, NAME, SHARED_CLAIM, Pod, Scene
from tests.e2e.faults.traffic_faults import evict
from tests.e2e.resources import model_set
from tests.support.kubectl import Kubectl, is_ready
from tests.support.waiting import wait_until

API_SERVER, API_PORTS = "kube-apiserver", (443, 6443)
CRASH_SECONDS, GRACEFUL_SECONDS = 17.0, 3.0
"""The longest fail-over, after a crash and after a graceful stop."""
EXTRA = "extra"
SLOW = {"kind": "slow", "path": "*model.safetensors", "rate": 3_000_000}


@contextmanager
def leader_killed(scene: Scene, _: Length) -> Iterator[None]:
    with work(scene) as finished:
        before = holder(scene)
        scene.signal(leader(scene), SIGKILL)
        passed_on(scene, before, CRASH_SECONDS)
        finished()
        yield


@contextmanager
def leader_stopped(scene: Scene, _: Length) -> Iterator[None]:
    """Woken when another leads: it must notice before it writes anything."""
    with work(scene) as finished:
        before, stopped = holder(scene), leader(scene)
        scene.signal(stopped, SIGSTOP)
        try:
            passed_on(scene, before, CRASH_SECONDS)
        finally:
            scene.signal(stopped, SIGCONT)
        finished()
        yield


@contextmanager
def leader_cut_off(scene: Scene, _: Length) -> Iterator[None]:
    with work(scene) as finished:
        before = holder(scene)
        with scene.cluster.unplugged(leader(scene).container, API_PORTS):
            passed_on(scene, before, CRASH_SECONDS)
        finished()
        yield


@contextmanager
def leader_drained(scene: Scene, _: Length) -> Iterator[None]:
    with work(scene) as finished:
        before = holder(scene)
        evict(operators(scene), leader(scene))
        passed_on(scene, before, GRACEFUL_SECONDS)
        finished()
        yield


@contextmanager
def api_server_gone(scene: Scene, length: Length) -> Iterator[None]:
    """It takes connections and answers none of them; afterwards all goes on, and a change is carried out."""
    with work(scene) as finished:
        scene.cluster.signal_program(API_SERVER, SIGSTOP)
        try:
            time.sleep(length.gone_seconds)  # nothing to wait for: it is gone for so long
        finally:
            scene.cluster.signal_program(API_SERVER, SIGCONT)
        for node in scene.cluster.status()["nodes"]:
            scene.environment.kubectl.wait_condition("node", node, "Ready", within=90)
        finished()
        yield


def operators(scene: Scene) -> Kubectl:
    return scene.environment.kubectl.within(OPERATOR_NAMESPACE)


def holder(scene: Scene) -> str:
    """Who holds the one Lease of the operator; empty when nobody does."""
    (lease,) = operators(scene).items("leases.coordination.k8s.io")
    return str(lease["spec"].get("holderIdentity") or "")


def leader(scene: Scene) -> Pod:
    """The pod of the replica that leads: its name begins the holder's."""
    leads = holder(scene)
    (pod,) = [
        pod for pod in operators(scene).items("pods") if is_ready(pod) and leads.startswith(pod["metadata"]["name"])
    ]
    return Pod.read(pod)


def passed_on(scene: Scene, before: str, within: float) -> None:
    """Another process leads in time."""
    began = time.monotonic()
    wait_until(lambda: holder(scene) not in ("", before), within=within, every=0.1, what=f"another than {before} leads")
    scene.note(f"fail-over {time.monotonic() - began:.1f} s")


@contextmanager
def work(scene: Scene) -> Iterator[Callable[[], None]]:
    """A download and a rollout, half-way; the block gets what waits for their ends, each of their steps done once."""
    revision = _revision(scene)
    scene.hub.fault(SLOW)
    source = {"huggingFace": {"endpoint": scene.hub.cluster_url}}
    storage = {**SHARED_CLAIM, "reclaimPolicy": "Delete"}
    scene.kubectl.apply([model_set(EXTRA, source=source, storage=storage)])
    try:
        wait_until(lambda: _bytes_done(scene) > 0, within=90, what="the download is under way")
        scene.patch({"runtimes": {"cpu": {"env": [{"name": "VERSION", "value": secrets.token_hex(3)}]}}})
        wait_until(lambda: _half_way(scene), within=90, what="the rollout is under way")
        yield lambda: _finished_once(scene, revision + 1)
    finally:
        scene.hub.fault()
        scene.kubectl.run("delete", "mset", EXTRA, "--wait=true", timeout=90)
        scene.kubectl.run("delete", "events", "--field-selector=involvedObject.kind=Job")


def _finished_once(scene: Scene, revision: int) -> None:
    scene.kubectl.wait_condition("mset", EXTRA, "Ready", within=240)
    wait_until(lambda: _is_current(scene), within=120, what="the service's status speaks of its newest spec")
    scene.rolled_out(CPU)
    assert _revision(scene) == revision, "the rollout was begun more than once"
    started = _pods_of_jobs(scene)
    steps = "one download, one conversion and one comparison"
    assert sorted(started.values()) == [1, 1, 1], f"{steps}, and not {dict(started)}"


def _bytes_done(scene: Scene) -> int:
    found = scene.kubectl.get("mset", EXTRA).get("status", {})
    return max([int(variant.get("bytesDone") or 0) for variant in found.get("variants", [])], default=0)


def _deployment(scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = scene.kubectl.get("deployment", f"{NAME}-{CPU}")
    return found


def _half_way(scene: Scene) -> bool:
    status = _deployment(scene)["status"]
    return 0 < int(status.get("updatedReplicas") or 0) <= 1


def _revision(scene: Scene) -> int:
    return int(_deployment(scene)["metadata"]["annotations"]["deployment.kubernetes.io/revision"])


def _is_current(scene: Scene) -> bool:
    found = scene.kubectl.get("wsvc", NAME)
    ready = scene.kubectl.condition("wsvc", NAME, "Ready").get("status") == "True"
    return ready and found["status"].get("observedGeneration") == found["metadata"]["generation"]


def _pods_of_jobs(scene: Scene) -> Counter[str]:
    """How many pods each Job of the extra set has had, by the Job's UID: its creations are told by Events."""
    started: Counter[str] = Counter()
    for event in scene.kubectl.items("events", "--field-selector=involvedObject.kind=Job,reason=SuccessfulCreate"):
        if event["involvedObject"]["name"].startswith(EXTRA):
            started[event["involvedObject"]["uid"]] += int(event.get("count") or 1)
    return started
