"""Two sets on one claim, on the real API server: one Job for both, which the garbage collector leaves to the last."""

from typing import Any

import pytest

from tests.e2e.resources import model_set
from tests.integration import jobs
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

CLAIM = "models-models"
WITHIN = 90.0


def holders(job: dict[str, Any]) -> set[str]:
    return {one["name"] for one in job["metadata"].get("ownerReferences", [])}


def held_by(place: Kubectl, step: str, *names: str) -> dict[str, Any]:
    """The only Job of a step, once exactly these sets hold it."""

    def seen() -> dict[str, Any] | None:
        found = jobs.job(place, step, within=WITHIN)
        return found if holders(found) == set(names) else None

    found = wait_until(seen, within=WITHIN, what=f"the {step} Job is held by {names}")
    assert found
    return found


@pytest.fixture
def both(place: Kubectl) -> Kubectl:
    place.apply([model_set(), model_set("other", storage={"existingClaim": CLAIM})])
    return place


def test_both_are_ready_by_one_download_one_conversion_and_one_comparison(both: Kubectl) -> None:
    uids = set()
    for step in jobs.STEPS:
        uids.add(held_by(both, step, "models", "other")["metadata"]["uid"])
        jobs.succeed(both, step)
    for name in ("models", "other"):
        both.wait_condition("mset", name, "Ready", within=WITHIN)
    wait_until(lambda: not both.items("jobs"), within=WITHIN, what="no Job is left, and none follows")
    assert len(uids) == len(jobs.STEPS)
    digests = [[one["digest"] for one in both.get("mset", name)["status"]["variants"]] for name in ("models", "other")]
    assert digests[0] == digests[1]


def test_a_job_outlives_the_set_that_made_it(both: Kubectl) -> None:
    job = held_by(both, "download", "models", "other")
    maker = job["metadata"]["labels"]["whisper.livetranslate.io/modelset"]
    left = "other" if maker == "models" else "models"

    both.run("delete", "mset", maker)

    assert held_by(both, "download", left)["metadata"]["uid"] == job["metadata"]["uid"]
    jobs.succeed_all(both)
    both.wait_condition("mset", left, "Ready", within=WITHIN)


def test_it_goes_with_the_last_of_them(both: Kubectl) -> None:
    held_by(both, "download", "models", "other")
    both.run("delete", "mset", "models", "other")
    wait_until(lambda: not both.items("jobs"), within=WITHIN, what="no Job is left")
    wait_until(lambda: not both.items("pods"), within=WITHIN, what="no pod is left")


def test_one_that_another_set_still_wants_is_let_go_and_not_ended(both: Kubectl) -> None:
    job = held_by(both, "download", "models", "other")
    both.apply([model_set("other", model="base", storage={"existingClaim": CLAIM})])

    def let_go() -> bool:
        found = next((one for one in both.items("jobs") if one["metadata"]["uid"] == job["metadata"]["uid"]), None)
        return found is not None and holders(found) == {"models"}

    wait_until(let_go, within=WITHIN, what="the Job is held by one set alone")
