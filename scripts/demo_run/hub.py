"""Where the demo's model comes from: the public hub where pods can reach it, else a test hub with real weights."""

import time
from typing import Any

from scripts.commands import CommandError
from scripts.demo_run.kubectl import Kubectl
from scripts.demo_run.settings import HUB_MANIFEST, NAMESPACE, Settings
from scripts.progress import Progress

TEST_HUB = f"http://hub.{NAMESPACE}.svc:8081"
IMAGE_LINE = "image: localhost/whisper-testhub"
PROBE = "hub-probe"
PROBE_SECONDS = 60
ASK = """
import sys, httpx2
from huggingface_hub import constants
try:
    answer = httpx2.head(constants.ENDPOINT, timeout=5, follow_redirects=True)
except httpx2.HTTPError as error:
    sys.exit(f"{type(error).__name__}: {error}")
sys.exit(0 if answer.status_code < 500 else f"it answers {answer.status_code}")
"""


def endpoint(settings: Settings, images: dict[str, str], kubectl: Kubectl, progress: Progress) -> str | None:
    """The hub's address for the operator, None for the public one; sets the test hub up if that is what it takes."""
    if settings.hub == "public":
        return None
    if settings.hub not in ("auto", "test"):
        return settings.hub
    there = kubectl.find("deployment", "hub", "-n", NAMESPACE)
    if settings.hub == "auto" and not there:
        trouble = _trouble_with_public_hub(images["models"], kubectl)
        if trouble is None:
            progress.say("model hub: the public one, which pods here can reach")
            return None
        progress.say(
            f"model hub: pods here cannot reach the public one ({trouble}).\n"
            "A test hub takes its place, in a pod: it speaks the same protocol and has the real weights of tiny.en.\n"
            "HUB=https://… names another, such as a mirror of yours."
        )
    _set_up(images["testhub"], kubectl, progress)
    return TEST_HUB


def probe_pod(image: str) -> dict[str, Any]:
    """A pod that asks the public hub for anything at all, from where the download Jobs will ask."""
    container = {
        "name": "probe",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", ASK],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "activeDeadlineSeconds": PROBE_SECONDS,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": PROBE, "namespace": NAMESPACE}, "spec": spec}


def _trouble_with_public_hub(image: str, kubectl: Kubectl) -> str | None:
    kubectl.run("delete", "pod", PROBE, "-n", NAMESPACE, "--ignore-not-found", "--now")
    kubectl.apply(probe_pod(image))
    try:
        deadline = time.monotonic() + PROBE_SECONDS
        while time.monotonic() < deadline:
            status = (kubectl.find("pod", PROBE, "-n", NAMESPACE) or {}).get("status", {})
            if status.get("phase") == "Succeeded":
                return None
            if status.get("phase") == "Failed":
                return _last_words(status)
            time.sleep(0.5)
        return f"no answer within {PROBE_SECONDS} s"
    finally:
        kubectl.run("delete", "pod", PROBE, "-n", NAMESPACE, "--ignore-not-found", "--now", "--wait=false")


def _last_words(status: dict[str, Any]) -> str:
    ended = [container.get("state", {}).get("terminated", {}) for container in status.get("containerStatuses", [])]
    words = [line for state in ended for line in str(state.get("message", "")).strip().splitlines()[-1:]]
    return words[0] if words else str(status.get("reason") or "no reason given")


def _set_up(image: str, kubectl: Kubectl, progress: Progress) -> None:
    manifest = HUB_MANIFEST.read_text(encoding="utf-8").replace(IMAGE_LINE, f"image: {image}")
    changed = kubectl.run("apply", "-n", NAMESPACE, "-f", "-", stdin=manifest)
    if all(line.endswith("unchanged") for line in changed.split("\n") if line):
        return
    progress.say(f"model hub: starting the test hub at {TEST_HUB}")
    try:
        kubectl.run("rollout", "status", "deployment/hub", "-n", NAMESPACE, "--timeout=120s", timeout=130)
    except CommandError as error:
        pods = kubectl.run("describe", "pods", "-n", NAMESPACE, "-l", "app=hub")
        raise CommandError(
            ["kubectl", "rollout", "status", "deployment/hub"], "says that it does not start", pods
        ) from error
