"""What a Job's container finds in its file system and in its environment."""

from typing import Any

from whisper_operator.api.modelset import ModelSet, SecretKey
from whisper_operator.plan.modelset.claim import claim_name
from whisper_operator.plan.modelset.task import ASKING, Task, Work

ROOT = "/models"
SCRATCH = "/tmp"  # noqa: S108  # in the pod
TOKEN_FOLDER = "/var/run/secrets/whisper/hub-token"  # noqa: S105  # a path
TOKEN_FILE = f"{TOKEN_FOLDER}/token"
TRUST_FOLDER = "/etc/whisper/trust"
TRUST_FILE = f"{TRUST_FOLDER}/ca.crt"
SAMPLES_FOLDER = "/etc/whisper/samples"
TERMINATION_LOG = "/dev/termination-log"


def environment(models: ModelSet, work: Work) -> list[dict[str, Any]]:
    """Only what a Job that asks a hub needs differs from one set to another."""
    found = {"HOME": SCRATCH}
    if work.task in ASKING and (proxy := models.spec.proxy):
        given = {"HTTP_PROXY": proxy.http_proxy, "HTTPS_PROXY": proxy.https_proxy, "NO_PROXY": proxy.no_proxy}
        found |= {name: value for name, value in given.items() if value}
    if work.task in ASKING and models.spec.ca_bundle_ref:
        found["SSL_CERT_FILE"] = TRUST_FILE
    return [{"name": name, "value": value} for name, value in found.items()]


def mounts(models: ModelSet, work: Work) -> list[dict[str, Any]]:
    """Where each volume is found."""
    found: list[dict[str, Any]] = [{"name": "models", "mountPath": ROOT}, {"name": "tmp", "mountPath": SCRATCH}]
    folders = {"hub-token": TOKEN_FOLDER, "trust": TRUST_FOLDER, "samples": SAMPLES_FOLDER}
    given = [volume["name"] for volume in _given(models, work)]
    return found + [{"name": name, "mountPath": folders[name], "readOnly": True} for name in given]


def volumes(models: ModelSet, work: Work) -> list[dict[str, Any]]:
    """The claim, a scratch folder, and what users keep in Secrets and ConfigMaps."""
    return [
        {"name": "models", "persistentVolumeClaim": {"claimName": claim_name(models)}},
        {"name": "tmp", "emptyDir": {}},
        *_given(models, work),
    ]


def token(models: ModelSet, work: Work) -> SecretKey | None:
    """The set's token, for downloads from the set's own hub: no other host is told it."""
    hub = models.spec.source.hugging_face if models.spec.source else None
    if hub is None or work.task not in ASKING or work.wanted.source.endpoint != hub.endpoint:
        return None
    return hub.token_secret_ref


def _given(models: ModelSet, work: Work) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if secret := token(models, work):
        found.append({"name": "hub-token", "secret": _secret(secret.name, secret.key or "token", "token")})
    if work.task in ASKING and (bundle := models.spec.ca_bundle_ref):
        key = bundle.key or "ca.crt"
        if bundle.kind == "Secret":
            found.append({"name": "trust", "secret": _secret(bundle.name, key, "ca.crt")})
        else:
            found.append(
                {"name": "trust", "configMap": {"name": bundle.name, "items": [{"key": key, "path": "ca.crt"}]}}
            )
    if work.task is Task.VALIDATE and (samples := own_samples(models)):
        found.append({"name": "samples", "configMap": {"name": samples}})
    return found


def own_samples(models: ModelSet) -> str | None:
    """The ConfigMap with the set's own clips."""
    asked = models.spec.validation.samples_config_map_ref if models.spec.validation else None
    return asked.name if asked else None


def _secret(name: str, key: str, path: str) -> dict[str, Any]:
    return {"secretName": name, "items": [{"key": key, "path": path}], "defaultMode": 0o440}
