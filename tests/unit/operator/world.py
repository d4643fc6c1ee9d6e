"""A set of models and the little of a cluster that planning it needs, turn by turn, without a cluster or waiting.

It does to the plan what the executor and the controllers do; the integration tests do the same with the real ones.
"""

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from whisper_operator.api import GROUP
from whisper_operator.api.modelset import ModelSet, VariantStatus
from whisper_operator.api.whisperservice import WhisperService
from whisper_operator.plan.conditions import timestamp
from whisper_operator.plan.modelset import plan_modelset
from whisper_operator.plan.modelset.claim import claim_name
from whisper_operator.plan.types import Defaults, Event, Images, ObjectRef, ObservedModelSet, Plan, Progress

Object = dict[str, Any]
DEFAULTS = Defaults(images=Images(models="models:1", runtimes={"cpu": "cpu:1"}, router="router:1"))
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEFAULT = {"name": "std", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
FIRST_USE = {"metadata": DEFAULT, "volumeBindingMode": "WaitForFirstConsumer"}
AT_ONCE = {"metadata": DEFAULT, "volumeBindingMode": "Immediate"}
TINY = {"name": "tiny.en", "variants": [{"format": "onnx", "precision": "int8"}]}
DIGEST = "sha256:" + "0" * 64
UID = "5e7"


@dataclass
class World:
    """What exists, and what happened."""

    spec: Object = field(default_factory=lambda: {"models": [TINY]})
    name: str = "models"
    uid: str = UID
    created: str = timestamp(START)
    defaults: Defaults = DEFAULTS
    now: datetime = START
    generation: int = 1
    status: Object = field(default_factory=dict)
    claim: Object | None = None
    classes: dict[str, Object] | None = field(default_factory=lambda: {"std": FIRST_USE})
    jobs: dict[str, Object] = field(default_factory=dict)
    pods: dict[str, Object] = field(default_factory=dict)
    progress: dict[str, Progress] = field(default_factory=dict)
    claim_events: list[Object] = field(default_factory=list)
    job_events: list[Object] = field(default_factory=list)
    readers: list[Object] = field(default_factory=list)
    beside: list["World"] = field(default_factory=list)
    """Other sets on the claim of the first of them."""
    users: tuple[WhisperService, ...] = ()
    refusals: tuple[str, ...] = ()
    events: list[Event] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    """Names of Jobs in the order in which they were made."""
    counter: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def resource(self) -> ModelSet:
        meta: Object = {"name": self.name, "namespace": "demo", "uid": self.uid, "generation": self.generation}
        meta |= {"creationTimestamp": self.created}
        return ModelSet.model_validate({"metadata": meta, "spec": self.spec, "status": self.status})

    def observe(self) -> ObservedModelSet:
        return ObservedModelSet(
            resource=self.resource,
            claim=self.beside[0].claim if self.beside and self.claim is None else self.claim,
            claim_events=tuple(self.claim_events),
            storage_classes=self.classes,
            jobs=tuple(self.jobs.values()),
            pods=tuple(self.pods.values()),
            job_events=tuple(self.job_events),
            progress=self.progress,
            readers=tuple(self.readers),
            others=tuple(one.resource for one in self.beside),
            users=self.users,
            services=(),
            now=self.now,
            defaults=self.defaults,
            refusals=self.refusals,
        )

    def turn(self) -> Plan:
        """Plan once and do what the plan says."""
        plan = plan_modelset(self.observe())
        for manifest in plan.apply:
            self._apply(manifest)
        assert plan.status is not None
        self.status = plan.status
        self.events += plan.events
        for reference in plan.hold:
            self._own(reference, {"kind": "ModelSet", "name": self.name, "uid": self.uid})
        for reference in plan.release:
            self._own(reference, None)
        for reference in plan.prune:
            removed = self.jobs.pop(reference.name)
            assert removed["metadata"]["uid"] == reference.uid
            self.pods.pop(reference.name, None)
            self.progress.pop(reference.name, None)
        return plan

    def settle(self) -> Plan:
        """Turn until nothing changes any more without something happening."""
        for _ in range(20):
            before = (self.status, dict(self.jobs), self.claim)
            plan = self.turn()
            if (self.status, self.jobs, self.claim) == before:
                return plan
        raise AssertionError("the plan does not come to rest")

    def change(self, **spec: Any) -> None:
        self.spec = {**self.spec, **spec}
        self.generation += 1

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def bind(self, phase: str = "Bound") -> None:
        assert self.claim is not None
        self.claim = self.claim | {"status": {"phase": phase, "capacity": {"storage": "20Gi"}}}

    def running(self, word: str = "") -> str:
        """The name of a Job that runs, by a part of its name or its task."""
        going = [name for name, one in self.jobs.items() if not one.get("status")]
        found = [name for name in going if word in (name if word in name else self.task(name))]
        assert len(found) == 1, (word, list(self.jobs))
        return found[0]

    def pod(self, job: str, **status: Any) -> None:
        """The Job's pod is as this status says."""
        meta = {
            "name": f"{job}-x",
            "uid": f"pod-{job}",
            "creationTimestamp": timestamp(self.now),
            "labels": {"batch.kubernetes.io/job-name": job},
            "ownerReferences": [{"uid": self.jobs[job]["metadata"]["uid"]}],
        }
        self.pods[job] = {"kind": "Pod", "metadata": meta, "status": status}

    def end(self, job: str, said: Object | None, code: int = 0, **pod: Any) -> None:
        """The Job ended, and its container said this."""
        terminated = {"exitCode": code, "message": json.dumps(said) if said else ""}
        status = {
            "phase": "Failed" if code else "Succeeded",
            "containerStatuses": [{"state": {"terminated": terminated}}],
        }
        self.pod(job, **(status | pod))
        condition = {"type": "Failed" if code else "Complete", "status": "True"}
        self.jobs[job] = self.jobs[job] | {"status": {"conditions": [condition]}}

    def succeed(self, word: str = "", digest: str = DIGEST, similarity: float = 1.0) -> None:
        """The Job's task is done, whatever it is."""
        job = self.running(word)
        said: Object = {"outcome": "Ready", "revision": "r1", "digest": digest, "size_bytes": 7, "path": "p"}
        if self.task(job) == "remove":
            said = {"outcome": "Removed", "freed_bytes": 7}
        if self.task(job) == "validate":
            said = said | {"similarity": similarity, "threshold": 0.95}
        self.end(job, said)

    def task(self, job: str) -> str:
        """What a Job is there for."""
        return str(self.jobs[job]["metadata"]["labels"]["app.kubernetes.io/component"])

    def fail(self, reason: str, word: str = "", *, retryable: bool = True, **more: Any) -> None:
        said = {"outcome": "Failed", "reason": reason, "message": "why", "retryable": retryable} | more
        self.end(self.running(word), said, code=1)

    def complain(self, variant: str = "onnx/int8", said: str = "ChecksumMismatch: decoder.weights", **pod: Any) -> None:
        """A runtime's pod has just read this variant and ended with these words."""
        notes = {"model": "tiny.en", "variant": variant, "models-claim": claim_name(self.resource)} | pod
        ended = {"exitCode": 1, "message": said, "startedAt": timestamp(self.now)}
        annotations = {f"{GROUP}/{name}": value for name, value in notes.items()}
        meta = {"name": f"cpu-{next(self.counter)}", "annotations": annotations}
        self.readers.append({"metadata": meta, "status": {"containerStatuses": [{"lastState": {"terminated": ended}}]}})

    def variant(self, variant_format: str = "pytorch") -> VariantStatus:
        return next(one for one in self.resource.status.variants if one.format == variant_format)

    def condition(self, name: str) -> tuple[str, str]:
        """Status and reason; empty where the condition is absent."""
        found = next((one for one in self.resource.status.conditions if one.type == name), None)
        return (found.status, found.reason) if found else ("", "")

    def reasons(self) -> list[str]:
        """Of all Events so far."""
        return [event.reason for event in self.events]

    def _own(self, reference: ObjectRef, owner: Object | None) -> None:
        live = self.jobs[reference.name]
        assert live["metadata"]["uid"] == reference.uid
        others = [one for one in live["metadata"].get("ownerReferences", []) if one["uid"] != self.uid]
        meta = live["metadata"] | {"ownerReferences": others + ([owner] if owner else [])}
        self.jobs[reference.name] = live | {"metadata": meta}

    def _apply(self, manifest: Object) -> None:
        name = manifest["metadata"]["name"]
        if manifest["kind"] == "Job":
            if name not in self.jobs:
                self.made.append(name)
                self.jobs[name] = self._stored(manifest)
        elif self.claim is None:
            assert name == claim_name(self.resource)
            self.claim = self._stored(manifest) | {"status": {"phase": "Pending"}}
        else:
            self.claim = self.claim | {"spec": self.claim["spec"] | manifest["spec"]}

    def _stored(self, manifest: Object) -> Object:
        meta = manifest["metadata"] | {"uid": f"uid-{next(self.counter)}", "creationTimestamp": timestamp(self.now)}
        return manifest | {"metadata": meta}


def beside(first: World, name: str = "other", **spec: Any) -> World:
    """A younger set on the claim of another one, whose Jobs both see."""
    found = World(
        spec={"models": [TINY], "storage": {"existingClaim": claim_name(first.resource)}} | spec,
        name=name,
        uid=f"uid-of-{name}",
        created=timestamp(START + timedelta(hours=1)),
        jobs=first.jobs,
        pods=first.pods,
        progress=first.progress,
        made=first.made,
        counter=first.counter,
        beside=[first],
    )
    first.beside.append(found)
    return found


def settle_all(*worlds: World) -> None:
    """Turn each until none changes any more."""
    for _ in range(20):
        before = [(one.status, dict(one.jobs)) for one in worlds]
        for one in worlds:
            one.now = max(other.now for other in worlds)
            one.turn()
        if [(one.status, dict(one.jobs)) for one in worlds] == before:
            return
    raise AssertionError("the plans do not come to rest")


def ready_world(**fields: Any) -> World:
    """Everything made."""
    world = World(**fields)
    world.settle()
    world.bind()
    world.settle()
    world.succeed("pytorch")
    world.settle()
    world.succeed("convert")
    world.settle()
    world.succeed("validate")
    world.settle()
    return world
