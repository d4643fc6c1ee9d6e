"""An API server that is slow keeps all workers busy; that is no fault of theirs."""

import time
from pathlib import Path

from tests.e2e.resources import model_set, whisper_service
from tests.integration.operator_process import operator_process
from tests.support.api_faults import ApiFaults, Delay
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

DECIDES_WITHIN = 10.0
"""Seconds: half of what the probe of the kubelet gives it."""


def test_the_probe_is_answered_while_every_worker_waits(api_server: Kubectl, namespace: str, tmp_path: Path) -> None:
    place = api_server.within(namespace)
    log = tmp_path / "operator.log"
    with (
        ApiFaults(api_server.kubeconfig) as proxy,
        operator_process(proxy.kubeconfig, log, namespaces=namespace, workers="1") as operator,
    ):
        with proxy.fault(Delay(5), lambda call: call.verb != "watch"):
            place.apply([model_set(), whisper_service()])
            wait_until(proxy.calls, within=90, what="a request is on its way")
            began = time.monotonic()
            while time.monotonic() - began < DECIDES_WITHIN:
                asked = time.monotonic()
                assert operator.get("/livez") == (200, "ok\n")
                assert time.monotonic() - asked < DECIDES_WITHIN
                time.sleep(0.5)
        wait_until(lambda: place.find("deployment", "speech-router"), within=120, what="the service is made")
