"""What the demo says while it waits, and how it decides that it has waited enough."""

import io
from typing import Any

import pytest

from scripts.demo_run import report
from scripts.demo_run.waiting import NotReadyError, Patience, wait_until_ready
from scripts.progress import Progress


def variant(state: str, **more: Any) -> dict[str, Any]:
    return {"name": "tiny.en", "format": "onnx", "precision": "int8", "state": state, **more}


def resource(*, ready: str = "False", stalled: bool = False, generation: int = 1, **status: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready, "reason": "Progressing", "message": "1 of 2"}]
    if stalled:
        conditions.append({"type": "Stalled", "status": "True", "reason": "UnknownModel", "message": "no such model"})
    return {
        "metadata": {"generation": generation},
        "status": {"observedGeneration": 1, "conditions": conditions, **status},
    }


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (variant("Pending"), "Pending"),
        (variant("Downloading", bytesDone=47_000_000, bytesTotal=100_000_000), "Downloading, 40 % of 100 MB"),
        (variant("Ready", sizeBytes=83_000_000, bytesDone=1, bytesTotal=2), "Ready, 83 MB"),
        (
            variant("Pending", attempts=2, lastFailure={"reason": "NotFound", "message": "no such repository"}),
            "Pending, attempt 2 failed, NotFound: no such repository",
        ),
    ],
)
def test_a_variant_is_one_line(seen: dict[str, Any], said: str) -> None:
    assert report.variant_text(seen) == said


def test_a_runtime_says_what_is_in_the_way() -> None:
    runtime = {"name": "cpu", "desired": 2, "ready": 1, "healthy": 1, "reason": "RollingOut", "message": "a pod starts"}
    assert report.runtime_text(runtime) == "1 of 2 pods ready, 1 healthy at the router, RollingOut: a pod starts"


def test_ready_about_an_older_spec_is_not_ready() -> None:
    assert report.is_ready(resource(ready="True"))
    assert not report.is_ready(resource(ready="True", generation=2))
    assert not report.is_ready(None)


class Story:
    """Successive looks at the cluster, on a clock that each look advances."""

    def __init__(self, *looks: dict[str, Any] | None) -> None:
        self.looks = looks
        self.turn = 0

    def look(self, _kind: str, _name: str) -> dict[str, Any] | None:
        return self.looks[min(self.turn, len(self.looks) - 1)]

    def pause(self) -> None:
        self.turn += 1

    def patience(self) -> Patience:
        return Patience(still=5, longest=50, clock=lambda: float(self.turn), pause=self.pause)


def wait(story: Story) -> list[str]:
    out = io.StringIO()
    try:
        wait_until_ready(story.look, Progress(out, clock=lambda: 0.0), story.patience())
    finally:
        said = out.getvalue().splitlines()
    return said


def test_each_change_is_said_once() -> None:
    busy = resource(variants=[variant("Downloading", bytesDone=1, bytesTotal=100)])
    said = wait(Story(None, busy, busy, busy, resource(ready="True", variants=[variant("Ready", sizeBytes=5)])))
    assert len([line for line in said if "Downloading" in line]) == len(("modelset", "whisperservice"))


def test_a_stalled_resource_ends_the_waiting_at_once() -> None:
    story = Story(resource(stalled=True))
    with pytest.raises(NotReadyError, match="cannot go on until someone acts"):
        wait(story)
    assert story.turn == 0


def test_a_model_that_fails_again_and_again_is_not_watched_for_ever() -> None:
    failure = {"reason": "HubUnreachable", "message": "check the endpoint"}
    tries = [resource(variants=[variant("Pending", attempts=n, lastFailure=failure)]) for n in range(5, 19)]
    story = Story(*tries)  # what failed before this wait began does not count
    with pytest.raises(NotReadyError, match="attempt 8 failed, HubUnreachable: check the endpoint"):
        wait(story)
    assert story.turn == 3


def test_the_same_reason_is_not_said_twice() -> None:
    runtime = {"name": "cpu", "desired": 1, "reason": "Progressing", "message": "pods start"}
    assert [topic for topic, _ in report.lines("whisperservice", resource(runtimes=[runtime]))] == [
        "whisperservice cpu"
    ]


def test_what_stands_still_is_given_up() -> None:
    with pytest.raises(NotReadyError, match="nothing changed for 5 s"):
        wait(Story(resource()))


def test_what_moves_for_ever_is_given_up_too() -> None:
    moving = [resource(variants=[variant("Pending", reason="Waiting", message=str(n))]) for n in range(99)]
    with pytest.raises(NotReadyError, match="not ready after 50 s"):
        wait(Story(*moving))
