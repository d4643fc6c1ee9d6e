"""How a Job ended, or what holds it up: read from the Job, its pod, what the pod said, and Events where none runs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from whisper_operator.api.conditions import Reason
from whisper_operator.api.schema import Part
from whisper_operator.plan.modelset.job import finished
from whisper_operator.plan.modelset.sharing import MULTI_ATTACH
from whisper_operator.plan.modelset.task import Task
from whisper_operator.plan.trouble import Trouble, trouble
from whisper_operator.plan.types import Manifest, ObservedModelSet

JOB_NAME = "batch.kubernetes.io/job-name"
EVENT_REASONS = {
    "FailedCreate": Reason.POD_REFUSED,
    "FailedMount": Reason.VOLUME_MOUNT_FAILED,
    "FailedAttachVolume": Reason.VOLUME_MOUNT_FAILED,
}
"""What the Job controller and the kubelet say in Events, and nowhere else; what others say there may be long over."""


OUTCOMES = ("Ready", "Unverified", "Removed", "Failed")
SAME_NAME = ("outcome", "revision", "digest", "path", "similarity", "threshold", "premade")
SUCCESS_FIELDS = dict(zip(SAME_NAME, SAME_NAME, strict=True)) | {
    "size_bytes": "sizeBytes",
    "converted_because": "convertedBecause",
}
LONGEST_WISH = 3600.0
"""Seconds; a hub that asks for more is asked again after an hour all the same."""


class Success(Part):
    """What the container of a Job says when it did its task."""

    outcome: Literal["Ready", "Unverified", "Removed"]
    revision: str | None = None
    digest: str | None = None
    size_bytes: Annotated[int, Field(ge=0)] | None = None
    path: str | None = None
    similarity: Annotated[float, Field(ge=0, le=1)] | None = None
    threshold: float | None = None
    premade: str | None = None
    converted_because: str | None = None

    def answers(self, task: Task) -> bool:
        """Whether it is what this task is to say."""
        match task:
            case Task.DOWNLOAD | Task.TAKE | Task.CONVERT | Task.REFRESH:
                return self.outcome == "Ready" and self.digest is not None
            case Task.VALIDATE:
                return self.outcome in ("Ready", "Unverified") and self.similarity is not None
            case Task.VERIFY:
                return self.outcome == "Ready"
            case Task.REMOVE:
                return self.outcome == "Removed"


@dataclass(frozen=True, slots=True)
class Ended:
    """A Job that did not do its task."""

    reason: str
    message: str
    retryable: bool = True
    retry_after: timedelta | None = None
    """How long the hub asked to be left alone."""


def result(live: Manifest, task: Task, observed: ObservedModelSet) -> Success | Ended | None:
    """How a Job ended; None while it runs."""
    end, pods = finished(live), pods_of(live, observed.pods)
    said = _words(pods)
    if end is None or (not said and _is_to_come(end, pods)):
        return None
    if end["type"] == "Complete" or said.get("outcome") == "Unverified":
        return _success(said, task)
    if said.get("outcome") == "Failed":
        return _failure(said)
    if end.get("reason") == "DeadlineExceeded":
        return Ended(Reason.DEADLINE_EXCEEDED, "the Job took longer than jobs.deadlineSeconds allows")
    if found := trouble(pods):
        return Ended(found.reason, found.message)
    name = live["metadata"]["name"]
    return Ended(Reason.CONTAINER_FAILED, f"Job {name} failed and its pod left no result: {end.get('message', '')}")


def _is_to_come(end: Manifest, pods: list[Manifest]) -> bool:
    """Whether its pod's end is not known here yet: Jobs and pods are watched apart, and one watch may lag behind.

    A Job ends when its pod has, but for one whose time is over, and but for a pod that is taken away.
    """
    ended = ("Succeeded", "Failed")
    at_work = (one for one in pods if (one.get("status") or {}).get("phase") not in ended)
    return end.get("reason") != "DeadlineExceeded" and any(
        "deletionTimestamp" not in one["metadata"] for one in at_work
    )


def obstacle(live: Manifest, observed: ObservedModelSet) -> Trouble | None:
    """What keeps a running Job from getting on."""
    pods = pods_of(live, observed.pods)
    if _words(pods):
        # Its pod has ended, and the Job is about to say so.
        return None
    found = trouble(pods)
    if found is not None:
        return found
    uids = {live["metadata"]["uid"], *(pod["metadata"]["uid"] for pod in pods)}
    telling = [
        one
        for one in observed.job_events
        if one.get("involvedObject", {}).get("uid") in uids and one.get("reason") in EVENT_REASONS
    ]
    return _told_by(telling[-1]) if telling else None


def _told_by(event: Manifest) -> Trouble:
    message = str(event.get("message", ""))
    reason = Reason.VOLUME_NOT_SHAREABLE if MULTI_ATTACH in message else EVENT_REASONS[event["reason"]]
    return Trouble(reason, message)


def pods_of(live: Manifest, pods: Iterable[Manifest]) -> list[Manifest]:
    """The pods of a Job, oldest first."""
    name = live["metadata"]["name"]
    mine = [
        pod
        for pod in pods
        if (pod["metadata"].get("labels") or {}).get(JOB_NAME) == name
        and any(one["uid"] == live["metadata"]["uid"] for one in pod["metadata"].get("ownerReferences") or ())
    ]
    return sorted(mine, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))


def _words(pods: list[Manifest]) -> dict[str, Any]:
    """What the newest pod that left a result said; nothing where none did."""
    return next((words for pod in reversed(pods) if (words := _said(pod)) is not None), {})


def _said(pod: Manifest) -> dict[str, Any] | None:
    """The termination message, if it is one of ours."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        message = ((container.get("state") or {}).get("terminated") or {}).get("message")
        try:
            said = json.loads(message or "")
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("outcome") in OUTCOMES:
            return said
    return None


def _success(said: dict[str, Any], task: Task) -> Success | Ended:
    try:
        found = Success.model_validate({to: said.get(of) for of, to in SUCCESS_FIELDS.items()})
    except ValidationError:
        found = None
    if found is not None and found.answers(task):
        return found
    return Ended(Reason.CONTAINER_FAILED, "the Job completed but its pod is gone or left no result; it runs again")


def _failure(said: dict[str, Any]) -> Ended:
    after = said.get("retry_after")
    return Ended(
        reason=_word(said.get("reason")),
        message=str(said.get("message", "")),
        retryable=bool(said.get("retryable", True)),
        retry_after=timedelta(seconds=min(after, LONGEST_WISH)) if isinstance(after, int | float) else None,
    )


def _word(reason: Any) -> str:
    """A reason that is fit for a condition."""
    return str(reason)[:64] if reason and str(reason).isalnum() else str(Reason.CONTAINER_FAILED)
