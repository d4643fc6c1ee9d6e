"""The operator as a process: what it missed while it was away, what it logs, how it ends."""

import json
from pathlib import Path

from tests.e2e.resources import model_set, whisper_service
from tests.integration.conftest import with_our_kinds
from tests.integration.operator_process import operator_process
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

WITHIN = 90.0


def test_what_changed_while_it_was_away_is_noticed_and_nothing_else_is_written(
    api_server: Kubectl, namespace: str, tmp_path: Path
) -> None:
    place = api_server.within(namespace)
    settings = {"namespaces": namespace}
    place.apply([whisper_service("one"), whisper_service("two")])
    with operator_process(api_server.kubeconfig, tmp_path / "first.log", **settings) as operator:
        for name in ("one", "two"):
            place.wait_condition("wsvc", name, "Ready", "False", within=WITHIN)
        wait_until(lambda: place.find("deployment", "one-router"), within=WITHIN, what="the router is made")
        wait_until(lambda: place.find("deployment", "two-router"), within=WITHIN, what="the other router is made")

    place.run("delete", "deployment", "one-router")
    place.run("delete", "wsvc", "two")

    with operator_process(api_server.kubeconfig, tmp_path / "second.log", **settings) as operator:
        wait_until(lambda: place.find("deployment", "one-router"), within=WITHIN, what="it is back")
        wait_until(lambda: operator.metric("whisper_operator_writes_total") >= 1, within=WITHIN, what="it is counted")
        written = operator.get("/metrics")[1]
        assert 'whisper_operator_writes_total{kind="ConfigMap"' not in written
        assert 'whisper_operator_writes_total{kind="Service"' not in written


def test_every_line_of_the_log_is_json_and_the_end_is_clean(
    api_server: Kubectl, namespace: str, tmp_path: Path
) -> None:
    log = tmp_path / "operator.log"
    with operator_process(api_server.kubeconfig, log, namespaces=namespace) as operator:
        assert operator.get("/readyz") == (200, "ok\n")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines[-1]["message"] == "stopped"
    assert not [line for line in lines if line["level"] in ("error", "warning")], lines


def test_a_watch_that_breaks_begins_anew(api_server: Kubectl, namespace: str, tmp_path: Path) -> None:
    """A kind that goes away ends its watch; when it is back, so is the watch."""
    place = api_server.within(namespace)
    with operator_process(api_server.kubeconfig, tmp_path / "operator.log", namespaces=namespace) as operator:
        api_server.run("delete", "crd", "modelsets.whisper.livetranslate.io")
        try:
            wait_until(
                lambda: operator.metric("whisper_operator_watch_restarts_total") >= 1,
                within=WITHIN,
                what="watching ended",
            )
            assert operator.get("/livez") == (200, "ok\n")
        finally:
            with_our_kinds(api_server)
        place.apply([model_set()])
        wait_until(lambda: place.find("pvc", "models-models"), within=WITHIN, what="it works again")
