"""Bad bytes on the claim, on the real API server: a runtime's last words start the Job that mends them, once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

WITHIN = 90.0
WORDS = "ChecksumMismatch: /models/onnx/whisper-tiny.en/int8/decoder.weights is not the file that was published"


def _runtime_pod(place: Kubectl) -> dict[str, Any] | None:
    found = place.items("pods", "-l", "whisper.livetranslate.io/runtime=cpu")
    return found[0] if found else None


def _refuse_to_serve(place: Kubectl, pod: dict[str, Any]) -> None:
    """What the kubelet writes when a runtime has read its model and ended: it began after the last verification."""
    began = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    terminated = {"exitCode": 1, "reason": "Error", "message": WORDS, "startedAt": began, "finishedAt": began}
    container = {
        "name": "cpu", "image": "x", "imageID": "", "ready": False, "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": terminated},
    }  # fmt: skip
    body = json.dumps({"status": {"phase": "Running", "containerStatuses": [container]}})
    place.run("patch", "pod", pod["metadata"]["name"], "--subresource=status", "--type=merge", "-p", body)


def _reason(place: Kubectl, condition: str) -> str:
    return str(place.condition("mset", "models", condition).get("reason", ""))


def test_a_runtime_that_reads_bad_bytes_has_them_mended_without_anybody_doing_anything(place: Kubectl) -> None:
    place.apply([model_set(), whisper_service()])
    jobs.succeed_all(place)
    place.wait_condition("mset", "models", "Ready", within=WITHIN)
    pod = wait_until(lambda: _runtime_pod(place), within=WITHIN, what="a runtime's pod")
    assert pod
    wait_until(lambda: not place.items("jobs"), within=WITHIN, what="no Job is left")
    deployment = place.get("deployment", "speech-cpu")

    _refuse_to_serve(place, pod)

    wait_until(lambda: _reason(place, "Verified") == _reason(place, "Ready") == "ChecksumMismatch", within=WITHIN)
    jobs.job(place, "convert", within=WITHIN)
    assert not place.items("jobs", "-l", "app.kubernetes.io/component=download"), "only what is damaged is made again"
    jobs.succeed(place, "convert")
    jobs.succeed(place, "validate")
    place.wait_condition("mset", "models", "Ready", within=WITHIN)
    wait_until(lambda: not place.items("jobs"), within=WITHIN, what="the Job is gone, and none follows it")

    assert place.condition("mset", "models", "Verified")["status"] == "True"
    again = place.get("deployment", "speech-cpu")
    assert again["spec"]["template"] == deployment["spec"]["template"], "the same content rolls nothing"
