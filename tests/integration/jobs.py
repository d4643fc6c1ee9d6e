"""Playing the kubelet for Jobs: where no node runs pods, a test says how one ended, and the real controllers go on."""

import json
from typing import Any

from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

COMPONENT = "app.kubernetes.io/component"
STEPS = ("download", "convert", "validate")
"""The Jobs of a set with one conversion, in their order."""


def job(kubectl: Kubectl, component: str, within: float = 90) -> dict[str, Any]:
    """The only Job of that kind (`download`, `convert`, …), once its pod is there."""
    found = wait_until(lambda: running(kubectl, component), within=within, what=f"a {component} Job with its pod")
    return found[0]


def running(kubectl: Kubectl, component: str) -> list[dict[str, Any]]:
    """The Jobs of that kind of which a pod runs. One whose pod was ended may be gone at any moment."""
    jobs = [one for one in kubectl.items("jobs", "-l", f"{COMPONENT}={component}") if not ended(one)]
    return [one for one in jobs if any(not has_ended(pod) for pod in pods(kubectl, one))]


def ended(job: dict[str, Any]) -> bool:
    return any(c["type"] in ("Complete", "Failed") for c in job.get("status", {}).get("conditions", []))


def has_ended(pod: dict[str, Any]) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def pods(kubectl: Kubectl, job: dict[str, Any]) -> list[dict[str, Any]]:
    return kubectl.items("pods", "-l", f"batch.kubernetes.io/controller-uid={job['metadata']['uid']}")


def patch_pod(kubectl: Kubectl, job: dict[str, Any], status: dict[str, Any]) -> None:
    name = wait_until(lambda: pods(kubectl, job), within=90, what="the Job has a pod")[0]["metadata"]["name"]
    body = json.dumps({"status": status})
    kubectl.run("patch", "pod", name, "--subresource=status", "--type=merge", "-p", body)


def container(**state: Any) -> dict[str, Any]:
    return {
        "name": "models",
        "image": "whisper-models:test",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }


def end(kubectl: Kubectl, job: dict[str, Any], code: int, said: dict[str, Any] | str, reason: str = "") -> None:
    """The container ended with this code and these last words."""
    patch_pod(kubectl, job, ended_status(code, said, reason))


def ended_status(code: int, said: dict[str, Any] | str, reason: str = "") -> dict[str, Any]:
    """What the kubelet writes about such a pod."""
    message = said if isinstance(said, str) else json.dumps(said)
    terminated = {"exitCode": code, "message": message, "reason": reason or ("Error" if code else "Completed")}
    return {"phase": "Failed" if code else "Succeeded", "containerStatuses": [container(terminated=terminated)]}


def succeed(kubectl: Kubectl, component: str, digest: str = "sha256:" + "a" * 64) -> None:
    """The next Job of that kind makes its variant."""
    end(kubectl, job(kubectl, component), 0, made(component, digest))


def succeed_all(kubectl: Kubectl) -> None:
    """Each step of a set with one conversion."""
    for step in STEPS:
        succeed(kubectl, step)


def made(component: str, digest: str = "sha256:" + "a" * 64, similarity: float = 0.99) -> dict[str, Any]:
    """The last words of a Job that did its task."""
    if component == "remove":
        return {"outcome": "Removed", "freed_bytes": 78_643_200}
    found = {"outcome": "Ready", "revision": "0" * 40, "digest": digest, "size_bytes": 78_643_200, "path": component}
    return found | ({"similarity": similarity, "threshold": 0.95} if component == "validate" else {})


def fail(kubectl: Kubectl, component: str, reason: str, *, retryable: bool = True, **said: Any) -> dict[str, Any]:
    """The next Job of that kind ends with a named failure."""
    found = job(kubectl, component)
    words = {"outcome": "Failed", "reason": reason, "message": f"it is {reason}", "retryable": retryable}
    end(kubectl, found, 1, words | said)
    return found
