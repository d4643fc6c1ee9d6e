"""Faults of how models come: the Job, the volume, the hub. What is read meanwhile is whole, or not there."""

import random
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

from whisper_models.artifact import Format, Precision, Variant
from whisper_models.store import UnifiedModelManager

from tests.cluster.errors import ClusterError
from tests.e2e.environment import make_namespace
from tests.e2e.faults.fault import Length
from tests.e2e.faults.scene import SHARED_CLAIM, STEADY, Pod, Scene, ready_pods
from tests.e2e.hub import Hub, deployed
from tests.e2e.resources import model_set
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

SET = "broken"
BASE = Variant.base("tiny.en")
ONNX = Variant("tiny.en", Format.ONNX, Precision.INT8)
WEIGHTS = "model.safetensors"
SLOW = {"kind": "slow", "path": f"*{WEIGHTS}", "rate": 5_000_000}
CHUNK = 4 << 20
"""Bytes that may be fetched twice when a download is cut."""
KILLS_OF_ONE_SET = 3
"""A set whose Job failed waits ten seconds, then twice as long each time."""
SMALL, ROOMY = "100m", "1g"


@contextmanager
def job_killed(scene: Scene, length: Length) -> Iterator[None]:
    """At random moments; a reader of the volume looks all the time."""
    left = length.kills
    while left > 0:
        kills = min(left, KILLS_OF_ONE_SET)
        _one_set_killed(scene, kills)
        left -= kills
    yield


def _one_set_killed(scene: Scene, kills: int) -> None:
    cuts: list[Cut] = []
    scene.hub.fault(SLOW)
    with asked_for(scene.kubectl, scene.hub, {**SHARED_CLAIM, "reclaimPolicy": "Delete"}):
        root = _root(scene)
        with Reader(root) as reader:
            for _ in range(kills):
                pods = wait_until(lambda: _job_pods(scene.kubectl), within=120, every=0.1, what="a Job's pod runs")
                time.sleep(random.uniform(0, 6))  # any moment
                _kill(scene, pods[0])
                cuts.append(Cut(_part(root), len(scene.hub.asked_from(WEIGHTS))))
            completed(scene.kubectl)
        scene.hub.fault()
        assert refetched(cuts, scene.hub.asked_from(WEIGHTS)) <= CHUNK
        assert reader.seen == {BASE, ONNX}
        assert reader.halves == []


@dataclass(frozen=True, slots=True)
class Cut:
    """What a killed Job left: bytes of the weights on disk, and how often they had been asked for."""

    part: int
    asked: int


def refetched(cuts: Sequence[Cut], starts: Sequence[int]) -> int:
    """The most bytes that one of the cut downloads fetched again."""
    again = [cut.part - starts[cut.asked] for cut in cuts if cut.part and cut.asked < len(starts)]
    return max(again, default=0)


def _part(root: Path) -> int:
    """Bytes of unfinished weights; none before the first and after the last of them."""
    return max((path.stat().st_size for path in root.rglob(f".*/{WEIGHTS}.part")), default=0)


def _kill(scene: Scene, pod: Pod) -> None:
    with suppress(ClusterError):  # it has ended by itself
        scene.signal(pod, SIGKILL)
    wait_until(lambda: _phase(scene.kubectl, pod) != "Running", within=30, every=0.1, what=f"{pod.name} has ended")


def _phase(kubectl: Kubectl, pod: Pod) -> str:
    found = kubectl.find("pod", pod.name)
    return str(found["status"]["phase"]) if found else "Gone"


def _job_pods(kubectl: Kubectl) -> list[Pod]:
    return ready_pods(kubectl, f"whisper.livetranslate.io/modelset={SET}")


def _root(scene: Scene) -> Path:
    def bound() -> str:
        return str(scene.kubectl.get("pvc", f"{SET}-models")["spec"].get("volumeName", ""))

    volume = wait_until(bound, within=60, what="the claim is bound")
    path = Path(scene.environment.kubectl.get("pv", volume)["spec"]["hostPath"]["path"])
    return scene.cluster.volumes / path.name


class Reader:
    """Looks at every variant's visible name again and again; what has one must be whole."""

    def __init__(self, root: Path) -> None:
        self.seen: set[Variant] = set()
        self.halves: list[str] = []
        self._store = UnifiedModelManager(root)
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader")

    def __enter__(self) -> "Reader":  # noqa: PYI034 - nobody inherits
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _read(self) -> None:
        last = False
        while not last:
            last = self._enough.wait(0.02)
            for variant in (BASE, ONNX):
                self._look(variant)

    def _look(self, variant: Variant) -> None:
        if not (self._store.root / self._store.location(variant)).exists():
            return
        if self._store.complete(variant) is None:
            self.halves.append(f"{variant} is visible and not complete")
        elif variant not in self.seen:  # every byte, once: a folder never changes under its name
            self.seen.add(variant)
            self.halves += self._store.damage(variant)


@contextmanager
def disk_full(scene: Scene, _: Length) -> Iterator[None]:
    """Room for less than the model, and later for more."""
    with volume(scene, f"size={SMALL}") as mounted, asked_for(scene.kubectl, scene.hub, mounted.storage):
        named(scene.kubectl, "DiskFull")
        mounted.remount(f"size={ROOMY}")
        completed(scene.kubectl)
        yield


@contextmanager
def claim_read_only(scene: Scene, _: Length) -> Iterator[None]:
    """As a network volume is that lost its lock; later it is writable again."""
    with volume(scene, f"size={ROOMY},ro") as mounted, asked_for(scene.kubectl, scene.hub, mounted.storage):
        named(scene.kubectl, "ReadOnlyVolume")
        mounted.remount("rw")
        completed(scene.kubectl)
        yield


@contextmanager
def hub_gone(scene: Scene, length: Length) -> Iterator[None]:
    """In the middle of a download."""
    kubectl = make_namespace(scene.environment.kubectl, "faults-hub")
    with deployed(kubectl, scene.environment.images["testhub"]) as hub:
        hub.fault(SLOW)
        with asked_for(scene.kubectl, hub, {**SHARED_CLAIM, "reclaimPolicy": "Delete"}):
            wait_until(lambda: _bytes_done(scene.kubectl) > 0, within=90, what="the download is under way")
            hub.leave()
            gone_at = time.monotonic()
            named(scene.kubectl, "HubUnreachable")
            time.sleep(max(0.0, gone_at + length.hub_gone_seconds - time.monotonic()))  # gone for so long
            hub.come_back()
            completed(scene.kubectl, within=600)
            yield
    scene.environment.kubectl.run("delete", "namespace", "faults-hub", "--wait=false")


class Mounted:
    """A small file system on the steady node, and a claim on it."""

    def __init__(self, scene: Scene, path: str) -> None:
        self.storage = {"existingClaim": SET}
        self._scene = scene
        self._path = path

    def remount(self, options: str) -> None:
        self._scene.cluster.inside(STEADY, ["mount", "-o", f"remount,{options}", self._path])


@contextmanager
def volume(scene: Scene, options: str) -> Iterator[Mounted]:
    """A claim on a file system of its own that a test may fill or lock."""
    name = f"faults-{secrets.token_hex(3)}"
    path = f"/run/{name}"
    mount = ["mount", "-t", "tmpfs", "-o", f"uid=65532,gid=65532,{options}", name, path]
    scene.cluster.inside(STEADY, ["mkdir", path])
    scene.cluster.inside(STEADY, mount)
    scene.kubectl.apply([_persistent_volume(name, path), _claim(name)])
    try:
        yield Mounted(scene, path)
    finally:
        scene.kubectl.run("delete", "pvc", SET, "--wait=true", timeout=60)
        scene.environment.kubectl.run("delete", "pv", name)
        scene.cluster.inside(STEADY, ["umount", path])


def _persistent_volume(name: str, path: str) -> dict[str, Any]:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [STEADY]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "hostPath": {"path": path},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def _claim(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": SET},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "volumeName": name,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


@contextmanager
def asked_for(kubectl: Kubectl, hub: Hub, storage: dict[str, Any]) -> Iterator[None]:
    """A set from this hub in this storage; gone afterwards."""
    kubectl.apply([model_set(SET, source={"huggingFace": {"endpoint": hub.cluster_url}}, storage=storage)])
    try:
        yield
    finally:
        kubectl.run("delete", "mset", SET, "--wait=true", timeout=90)


def named(kubectl: Kubectl, reason: str) -> None:
    """The set's status says why it waits."""

    def reasons() -> set[str]:
        variants = kubectl.get("mset", SET).get("status", {}).get("variants", [])
        return {variant["lastFailure"]["reason"] for variant in variants if variant.get("lastFailure")}

    wait_until(lambda: reason in reasons(), within=180, what=f"status names {reason}")


def completed(kubectl: Kubectl, within: float = 300) -> None:
    kubectl.wait_condition("mset", SET, "Ready", within=within)


def _bytes_done(kubectl: Kubectl) -> int:
    variants = kubectl.get("mset", SET).get("status", {}).get("variants", [])
    return max([int(variant.get("bytesDone") or 0) for variant in variants], default=0)
