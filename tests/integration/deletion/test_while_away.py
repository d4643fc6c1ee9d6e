"""What is deleted while the operator is down, or while it is only being made, leaves nothing either."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.resources import model_set, whisper_service
from tests.integration.deletion.place import SLOW, Place, delete_both, place
from tests.integration.deletion.states import STATES, left_by
from tests.integration.operator_process import operator_process
from tests.support.api_client import WHISPERSERVICE, ApiClient
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until


def test_what_was_deleted_while_the_operator_was_down_is_gone_when_it_is_back(
    api: ApiClient, api_server: Kubectl, tmp_path: Path
) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(len(STATES)) as pool:
        places = {state: stack.enter_context(place(api)) for state in STATES}
        with operator_process(api_server.kubeconfig, tmp_path / "first.log"):
            list(pool.map(lambda state: STATES[state](places[state]), STATES))
        for here in places.values():
            delete_both(here)
        with operator_process(api_server.kubeconfig, tmp_path / "second.log") as operator:
            list(pool.map(lambda state: places[state].wait_left(left_by(state)), STATES))
            writes = operator.metric("whisper_operator_writes_total")
    assert writes == 0, "there was nothing to do"


def test_what_was_deleted_and_made_anew_while_the_operator_was_down_is_whole_when_it_is_back(
    api: ApiClient, api_server: Kubectl, tmp_path: Path
) -> None:
    with place(api) as here:
        with operator_process(api_server.kubeconfig, tmp_path / "first.log"):
            STATES["rolled out"](here)
        delete_both(here)
        here.apply(model_set(suspend=True), whisper_service())
        service = here.find(WHISPERSERVICE, "speech")
        assert service
        with operator_process(api_server.kubeconfig, tmp_path / "second.log"):
            here.wait(lambda: owners(here) == {service["metadata"]["uid"]}, "the new service owns all there is")
            delete_both(here)
            here.wait_left(left_by("rolled out"))


def owners(here: Place) -> set[str]:
    made = [one for one in here.everything() if one["kind"] in ("Deployment", "Service", "ConfigMap")]
    return {reference["uid"] for one in made for reference in one["metadata"].get("ownerReferences", [])}


REACHED = {
    "when the two are there": "ModelSet/models",
    "when the claim is there": "PersistentVolumeClaim/models-models",
    "when the router is there": "Deployment/speech-router",
    "when a Job is there": "Job/models-models-tiny-en-pytorch-stored",
}


@pytest.mark.parametrize("reached", REACHED)
def test_a_namespace_that_ends_while_things_are_made_in_it_ends(
    reached: str, api: ApiClient, api_server: Kubectl, tmp_path: Path
) -> None:
    log = tmp_path / "operator.log"
    with operator_process(api_server.kubeconfig, log) as operator:
        began = time.monotonic()
        with place(api) as here:
            here.apply(model_set(), *(whisper_service(name) for name in ("speech", "other", "third")))
            wait_until(lambda: " ".join(here.objects()).count(REACHED[reached]), within=120, every=0.02, what=reached)
            here.end()
        wait_until(lambda: operator.metric("whisper_operator_objects") == 0, within=SLOW, what="its memory is empty")
        turns = operator.metric("whisper_operator_reconciles_total")
        assert turns < 200 + 5 * (time.monotonic() - began), "no hot loop: what waits is looked at every second or two"
    assert "reconciling failed" not in log.read_text()
