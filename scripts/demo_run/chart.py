"""Install the Helm chart with the images that were just built, and only when something about that changed."""

import hashlib
import json
from pathlib import Path
from typing import Any

from scripts.commands import CommandError, output_of
from scripts.demo_run.kubectl import Kubectl, namespace
from scripts.demo_run.settings import CHART, OPERATOR_NAMESPACE, RELEASE
from scripts.progress import Progress

INSTALL_SECONDS = 180


def values(images: dict[str, str], hub: str | None) -> dict[str, Any]:
    """The chart's values for these images; the hub's address is the default for every ModelSet that names none."""
    chosen: dict[str, Any] = {
        "image": _image(images["operator"]),
        "images": {name: _image(images[name]) for name in ("models", "npu", "cpu", "router")},
    }
    return {**chosen, "hub": {"endpoint": hub}} if hub else chosen


def fingerprint(chart: Path, chosen: dict[str, Any]) -> str:
    """Says whether an installed release is of this chart with these values."""
    digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode())
    for path in sorted(path for path in chart.rglob("*") if path.is_file()):
        digest.update(path.relative_to(chart).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"demo {digest.hexdigest()[:16]}"


def install(helm: str, kubectl: Kubectl, chosen: dict[str, Any], progress: Progress) -> None:
    """Bring the release up to date; raises CommandError with what helm or the operator's pod says."""
    mark = fingerprint(CHART, chosen)
    if _installed(helm, kubectl) == ("deployed", mark):
        progress.say("operator: installed already, unchanged")
        return
    kubectl.apply(namespace(OPERATOR_NAMESPACE))
    progress.say(f"operator: helm upgrade --install {RELEASE} charts/{CHART.name} --namespace {OPERATOR_NAMESPACE}")
    words = ["upgrade", "--install", RELEASE, str(CHART), "--namespace", OPERATOR_NAMESPACE, "--description", mark]
    wait = ["--values", "-", "--wait", "--timeout", f"{INSTALL_SECONDS}s"]
    try:
        output_of(
            [helm, *words, *wait], env=kubectl.environment(), stdin=json.dumps(chosen), timeout=INSTALL_SECONDS + 30
        )
    except CommandError as error:
        pods = kubectl.run("describe", "pods", "-n", OPERATOR_NAMESPACE)
        raise CommandError(["helm", *words[:3]], f"failed: {error}\nthe operator's pods", pods) from error


def uninstall(helm: str, kubectl: Kubectl) -> None:
    """Remove the release, if there is one."""
    words = ["uninstall", RELEASE, "--namespace", OPERATOR_NAMESPACE, "--ignore-not-found", "--wait"]
    output_of([helm, *words], env=kubectl.environment(), timeout=INSTALL_SECONDS)


def _installed(helm: str, kubectl: Kubectl) -> tuple[str, str]:
    try:
        text = output_of(
            [helm, "status", RELEASE, "--namespace", OPERATOR_NAMESPACE, "-o", "json"], env=kubectl.environment()
        )
    except CommandError:
        return ("", "")
    info = json.loads(text)["info"]
    return (str(info.get("status")), str(info.get("description")))


def _image(reference: str) -> dict[str, str]:
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag}
