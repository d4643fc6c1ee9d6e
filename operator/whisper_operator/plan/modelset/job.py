"""The Job that does one task with one variant: restricted, without a token of the cluster, retried by the operator."""

import json
from typing import Any

from whisper_operator.api import GROUP
from whisper_operator.api.modelset import ModelSet
from whisper_operator.plan import names, security
from whisper_operator.plan.modelset.arguments import arguments
from whisper_operator.plan.modelset.claim import APP
from whisper_operator.plan.modelset.mounts import TERMINATION_LOG, environment, mounts, volumes
from whisper_operator.plan.modelset.resources import resources
from whisper_operator.plan.modelset.task import Work
from whisper_operator.plan.ownership import labels, metadata
from whisper_operator.plan.types import Defaults, Manifest

INPUT = f"{GROUP}/input"
"""Annotation: the digest of what the task is done with."""
MADE_FROM = f"{GROUP}/made-from"
"""Annotation: the digest of the base that a conversion started from."""
RECIPE = f"{GROUP}/recipe"
"""Annotation: the digest of the Job's own spec, but for labels."""
WRITES_A_VOLUME = {"fsGroup": security.USER, "fsGroupChangePolicy": "OnRootMismatch"}
PROGRESS_PORT = 8080
DEADLINE_SECONDS = 6 * 3600


def job(models: ModelSet, work: Work, defaults: Defaults) -> Manifest:
    """The Job for one task."""
    meta = metadata(models, work.job, APP, str(work.task))
    jobs = models.spec.jobs
    spec = {
        "backoffLimit": 0,
        "completions": 1,
        "parallelism": 1,
        "podReplacementPolicy": "Failed",
        "activeDeadlineSeconds": (jobs.deadline_seconds if jobs else None) or DEADLINE_SECONDS,
        "template": {
            "metadata": {"labels": labels(models, APP, str(work.task))},
            "spec": pod(models, work, defaults),
        },
    }
    meta["annotations"] = {INPUT: work.input, RECIPE: _recipe(spec)}
    if work.made_from:
        meta["annotations"][MADE_FROM] = work.made_from
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}


def _recipe(spec: dict[str, Any]) -> str:
    """The same for all sets that would have the Job run in the same way, whatever they are called."""
    unnamed = spec | {"template": spec["template"]["spec"]}
    return names.digest(json.dumps(unnamed, sort_keys=True))


def pod(models: ModelSet, work: Work, defaults: Defaults) -> dict[str, Any]:
    """The pod's spec."""
    placement = models.spec.jobs.placement if models.spec.jobs else None
    return {
        "restartPolicy": "Never",
        **security.pod(defaults, WRITES_A_VOLUME),
        "containers": [container(models, work, defaults)],
        "volumes": volumes(models, work),
        **(placement.dump() if placement else {}),
    }


def container(models: ModelSet, work: Work, defaults: Defaults) -> dict[str, Any]:
    """The one container."""
    reporting = ["--progress-port", str(PROGRESS_PORT), "--termination-log", TERMINATION_LOG]
    return {
        "name": "models",
        "image": defaults.images.models,
        "imagePullPolicy": defaults.images.pull_policy,
        "args": [*arguments(models, work, defaults), *reporting],
        "env": environment(models, work),
        "ports": [{"name": "progress", "containerPort": PROGRESS_PORT}],
        "resources": resources(models, work),
        "securityContext": security.container(),
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts(models, work),
    }


def claim_of(live: Manifest) -> str | None:
    """The claim that a live Job works on."""
    for volume in live["spec"]["template"]["spec"].get("volumes") or ():
        if volume.get("name") == "models" and (claim := volume.get("persistentVolumeClaim")):
            return str(claim["claimName"])
    return None


def finished(live: Manifest) -> Manifest | None:
    """The condition with which a Job ended; None while it runs."""
    for condition in (live.get("status") or {}).get("conditions") or ():
        if condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True":
            return dict(condition)
    return None


def is_active(live: Manifest) -> bool:
    """Whether a Job has not ended."""
    return finished(live) is None


def annotation(live: Manifest, name: str) -> str | None:
    """One annotation of a live Job."""
    value = (live["metadata"].get("annotations") or {}).get(name)
    return None if value is None else str(value)
