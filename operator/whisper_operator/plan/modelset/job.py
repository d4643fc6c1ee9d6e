"""The Job that makes one variant: restricted, without a token, retried by the operator and not by Kubernetes."""

from typing import Any

from whisper_operator.api import GROUP
from whisper_operator.api.modelset import ModelSet, SecretKey
from whisper_operator.plan import names, security
from whisper_operator.plan.modelset.claim import APP, claim_name
from whisper_operator.plan.modelset.wanted import Wanted
from whisper_operator.plan.ownership import labels, metadata
from whisper_operator.plan.types import Defaults, Manifest

INPUT = f"{GROUP}/input"
"""Annotation: the digest of what the variant is made from."""
RECIPE = f"{GROUP}/recipe"
"""Annotation: the digest of the Job's own spec."""
ROOT = "/models"
TOKEN_FOLDER = "/var/run/secrets/whisper/hub-token"  # noqa: S105  # a path
TERMINATION_LOG = "/dev/termination-log"
WRITES_A_VOLUME = {"fsGroup": security.USER, "fsGroupChangePolicy": "OnRootMismatch"}
PROGRESS_PORT = 8080
DEADLINE_SECONDS = 6 * 3600
GIB = 2**30


def job(models: ModelSet, wanted: Wanted, defaults: Defaults) -> Manifest:
    """The Job for one variant."""
    component = "download" if wanted.is_base else "convert"
    meta = metadata(models, wanted.job, APP, component)
    jobs = models.spec.jobs
    spec = {
        "backoffLimit": 0,
        "completions": 1,
        "parallelism": 1,
        "podReplacementPolicy": "Failed",
        "activeDeadlineSeconds": (jobs.deadline_seconds if jobs else None) or DEADLINE_SECONDS,
        "template": {
            "metadata": {"labels": labels(models, APP, component)},
            "spec": pod(models, wanted, defaults),
        },
    }
    meta["annotations"] = {INPUT: wanted.input, RECIPE: names.digest(repr(spec))}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}


def pod(models: ModelSet, wanted: Wanted, defaults: Defaults) -> dict[str, Any]:
    """The pod's spec."""
    placement = models.spec.jobs.placement if models.spec.jobs else None
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        **security.pod(defaults, WRITES_A_VOLUME),
        "containers": [container(models, wanted, defaults)],
        "volumes": volumes(models, wanted),
    }
    return spec | (placement.dump() if placement else {})


def container(models: ModelSet, wanted: Wanted, defaults: Defaults) -> dict[str, Any]:
    """The one container."""
    mounts: list[dict[str, Any]] = [{"name": "models", "mountPath": ROOT}, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108  # in the pod
    if _token(models, wanted):
        mounts.append({"name": "hub-token", "mountPath": TOKEN_FOLDER, "readOnly": True})
    return {
        "name": "models",
        "image": defaults.images.models,
        "imagePullPolicy": defaults.images.pull_policy,
        "args": download_args(models, wanted, defaults) if wanted.is_base else convert_args(wanted),
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108  # in the pod
        "ports": [{"name": "progress", "containerPort": PROGRESS_PORT}],
        "resources": resources(models, wanted),
        "securityContext": security.container(),
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }


def download_args(models: ModelSet, wanted: Wanted, defaults: Defaults) -> list[str]:
    """`whisper-models download …`."""
    source = wanted.source
    options = {
        "--repo": source.repo,
        "--revision": source.revision,
        "--endpoint": source.endpoint or defaults.hub_endpoint,
        "--token-file": f"{TOKEN_FOLDER}/token" if _token(models, wanted) else None,
    }
    given = [word for option, value in options.items() if value for word in (option, value)]
    return ["download", "--root", ROOT, "--models", wanted.model, *given, *reporting()]


def convert_args(wanted: Wanted) -> list[str]:
    """`whisper-models convert …`."""
    variant = ["--model", wanted.model, "--format", wanted.format, "--precision", wanted.precision]
    return ["convert", "--root", ROOT, *variant, *reporting()]


def reporting() -> list[str]:
    """Where progress and the result are told."""
    return ["--progress-port", str(PROGRESS_PORT), "--termination-log", TERMINATION_LOG]


def resources(models: ModelSet, wanted: Wanted) -> dict[str, Any]:
    """What the spec says; else little is reserved and memory is bounded by what the model's size needs."""
    asked = models.spec.jobs.resources if models.spec.jobs else None
    if asked is not None:
        return asked.dump()
    limit = "1Gi" if wanted.is_base else f"{2 + 4 * (wanted.size_bytes or 2 * GIB) // GIB}Gi"
    return {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": limit}}


def volumes(models: ModelSet, wanted: Wanted) -> list[dict[str, Any]]:
    """The claim, a scratch folder, and the token where there is one."""
    found: list[dict[str, Any]] = [
        {"name": "models", "persistentVolumeClaim": {"claimName": claim_name(models)}},
        {"name": "tmp", "emptyDir": {}},
    ]
    if token := _token(models, wanted):
        items = [{"key": token.key or "token", "path": "token"}]
        found.append({"name": "hub-token", "secret": {"secretName": token.name, "items": items, "defaultMode": 0o440}})
    return found


def _token(models: ModelSet, wanted: Wanted) -> SecretKey | None:
    """The set's token, for downloads from the set's own hub: no other host is told it."""
    hub = models.spec.source.hugging_face if models.spec.source else None
    if hub is None or not wanted.is_base or wanted.source.endpoint != hub.endpoint:
        return None
    return hub.token_secret_ref


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
