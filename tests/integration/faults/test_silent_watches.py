"""Watches whose other end has lost its power: nothing comes, and no connection ends."""

from pathlib import Path

import pytest
from whisper_operator.cluster.connection import SILENCE, TIMEOUT
from whisper_operator.cluster.kinds import WATCHED

from tests.e2e.resources import whisper_service
from tests.integration.operator_process import operator_process
from tests.support.api_faults import ApiFaults
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

WITHOUT_RESYNC = "86400"


@pytest.mark.parametrize(
    ("resync", "within"),
    [
        pytest.param("5", 120, id="the periodic listing sees what they do not tell"),
        pytest.param(
            WITHOUT_RESYNC, SILENCE + TIMEOUT + 60, id="they count as broken after a while", marks=pytest.mark.long
        ),
    ],
)
def test_what_silent_watches_do_not_tell_is_noticed(
    resync: str, within: float, api_server: Kubectl, namespace: str, tmp_path: Path
) -> None:
    place = api_server.within(namespace)
    log = tmp_path / "operator.log"
    with (
        ApiFaults(api_server.kubeconfig) as proxy,
        operator_process(proxy.kubeconfig, log, namespaces=namespace, resync_seconds=resync) as operator,
    ):
        wait_until(
            lambda: len({call.resource for call in proxy.calls() if call.verb == "watch"}) == len(WATCHED),
            within=90,
            what="it watches",
        )
        proxy.silence_streams()
        place.apply([whisper_service()])
        wait_until(lambda: place.find("deployment", "speech-router"), within=within, what="the new service is made")
        place.run("delete", "wsvc", "speech")
        wait_until(
            lambda: 'whisper_operator_objects{kind="WhisperService"} 0.0' in operator.get("/metrics")[1],
            within=within,
            what="the service that was deleted is forgotten",
        )
