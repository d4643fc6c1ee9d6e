"""What a Job's container finds in its file system and in its environment."""

from typing import Any

from whisper_operator.api.modelset import ModelSet
from whisper_operator.api.sources import BundleRef
from whisper_operator.plan.modelset.claim import claim_name
from whisper_operator.plan.modelset.sources import FOLDER
from whisper_operator.plan.modelset.task import ASKING, Task, Work

ROOT = "/models"
SCRATCH = "/tmp"  # noqa: S108  # in the pod
TOKEN_FOLDER = "/var/run/secrets/whisper/hub-token"  # noqa: S105  # a path
TOKEN_FILE = f"{TOKEN_FOLDER}/token"
TRUST_FOLDER = "/etc/whisper/trust"
TRUST_FILE = f"{TRUST_FOLDER}/ca.crt"
SAMPLES_FOLDER = "/etc/whisper/samples"
READ_ONLY = {"source": FOLDER, "hub-token": TOKEN_FOLDER, "trust": TRUST_FOLDER, "samples": SAMPLES_FOLDER}
"""Where each volume that is only read is found."""
TERMINATION_LOG = "/dev/termination-log"


def environment(models: ModelSet, work: Work) -> list[dict[str, Any]]:
    """Only what a Job that asks a hub needs differs from one set to another."""
    found = {"HOME": SCRATCH}
    if work.task in ASKING and (proxy := models.spec.proxy):
        given = {"HTTP_PROXY": proxy.http_proxy, "HTTPS_PROXY": proxy.https_proxy, "NO_PROXY": proxy.no_proxy}
        found |= {name: value for name, value in given.items() if value}
    return [{"name": name, "value": value} for name, value in found.items()]


def mounts(models: ModelSet, work: Work) -> list[dict[str, Any]]:
    """Where each volume is found."""
    found: list[dict[str, Any]] = [{"name": "models", "mountPath": ROOT}, {"name": "tmp", "mountPath": SCRATCH}]
    return found + [
        {"name": volume["name"], "mountPath": READ_ONLY[volume["name"]], "readOnly": True} | _below(volume, work)
        for volume in _given(models, work)
    ]


def _below(volume: dict[str, Any], work: Work) -> dict[str, Any]:
    """Only the folder that is named, of somebody else's claim."""
    folder = work.wanted.source.folder
    return {"subPath": folder.path} if folder and folder.path and volume["name"] == "source" else {}


def volumes(models: ModelSet, work: Work) -> list[dict[str, Any]]:
    """The claim, a scratch folder, and what users keep in Secrets and ConfigMaps."""
    return [
        {"name": "models", "persistentVolumeClaim": {"claimName": claim_name(models)}},
        {"name": "tmp", "emptyDir": {}},
        *_given(models, work),
    ]


def _given(models: ModelSet, work: Work) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    secret, folder = work.wanted.source.token, work.wanted.source.folder
    if work.task in ASKING and folder:
        found.append({"name": "source", "persistentVolumeClaim": {"claimName": folder.claim_name, "readOnly": True}})
    # What can be converted as well does not wait for a Secret that is gone: its Job says so, and converts.
    spare = {"optional": True} if work.task is Task.TAKE else {}
    if work.task in ASKING and secret:
        found.append({"name": "hub-token", "secret": _secret(secret.name, secret.key or "token", "token") | spare})
    if work.task in ASKING and (bundle := models.spec.ca_bundle_ref):
        found.append({"name": "trust"} | _bundle(bundle, spare))
    if work.task is Task.VALIDATE and (samples := own_samples(models)):
        found.append({"name": "samples", "configMap": {"name": samples}})
    return found


def _bundle(bundle: BundleRef, spare: dict[str, Any]) -> dict[str, Any]:
    key = bundle.key or "ca.crt"
    if bundle.kind == "Secret":
        return {"secret": _secret(bundle.name, key, "ca.crt") | spare}
    return {"configMap": {"name": bundle.name, "items": [{"key": key, "path": "ca.crt"}]} | spare}


def own_samples(models: ModelSet) -> str | None:
    """The ConfigMap with the set's own clips."""
    asked = models.spec.validation.samples_config_map_ref if models.spec.validation else None
    return asked.name if asked else None


def _secret(name: str, key: str, path: str) -> dict[str, Any]:
    return {"secretName": name, "items": [{"key": key, "path": path}], "defaultMode": 0o440}
