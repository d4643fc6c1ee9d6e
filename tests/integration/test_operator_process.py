"""The operator as a process: what it missed while it was away, what it logs, how it ends."""

import asyncio
import json
import threading
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest
from whisper_operator import operate
from whisper_operator.cluster.connection import connect
from whisper_operator.config import Config
from whisper_operator.handlers.watch import Seen

from tests.e2e.resources import model_set, whisper_service
from tests.integration.conftest import ROOT
from tests.integration.operator_process import operator_process
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until


def test_what_changed_while_it_was_away_is_noticed_and_nothing_else_is_written(
    api_server: Kubectl, namespace: str, tmp_path: Path
) -> None:
    place = api_server.within(namespace)
    settings = {"namespaces": namespace}
    place.apply([whisper_service("one"), whisper_service("two")])
    with operator_process(api_server.kubeconfig, tmp_path / "first.log", **settings) as operator:
        for name in ("one", "two"):
            place.wait_condition("wsvc", name, "Ready", "False", within=30)
        wait_until(lambda: place.find("deployment", "one-router"), within=30, what="the router is made")
        wait_until(lambda: place.find("deployment", "two-router"), within=30, what="the other router is made")

    place.run("delete", "deployment", "one-router")
    place.run("delete", "wsvc", "two")

    with operator_process(api_server.kubeconfig, tmp_path / "second.log", **settings) as operator:
        wait_until(lambda: place.find("deployment", "one-router"), within=15, what="it is back")
        wait_until(lambda: operator.metric("whisper_operator_writes_total") >= 1, within=5, what="it is counted")
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
    """A kind that goes away ends all of kopf's watches; when it is back, so are they."""
    place = api_server.within(namespace)
    with operator_process(api_server.kubeconfig, tmp_path / "operator.log", namespaces=namespace) as operator:
        api_server.run("delete", "crd", "modelsets.whisper.livetranslate.io")
        try:
            wait_until(
                lambda: operator.metric("whisper_operator_watch_restarts_total") >= 1, within=60, what="watching ended"
            )
            assert operator.get("/livez") == (200, "ok\n")
        finally:
            api_server.run("apply", "--server-side", "-f", str(ROOT / "crds"))
            api_server.run("wait", "--for=condition=Established", "crd", "-l", "app.kubernetes.io/part-of=whisper")
        place.apply([model_set()])
        wait_until(lambda: place.find("pvc", "models-models"), within=30, what="it works again")


class Deaf:
    """A watch that tells of nothing, as the real one of what ends before it has begun."""

    def __init__(self, seen: Seen, namespaces: Sequence[str]) -> None:
        del seen, namespaces
        self._stopped = threading.Event()

    def run(self) -> None:
        self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()


async def test_what_ends_before_the_watches_have_begun_is_noticed_soon(
    api_server: Kubectl, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operate, "Watch", Deaf)
    place = api_server.within(namespace)
    place.apply([whisper_service()])
    environment = {"KUBECONFIG": str(api_server.kubeconfig)}
    async with connect(environment) as connection, aiohttp.ClientSession() as session:
        working = asyncio.create_task(operate.Operator(Config(namespaces=(namespace,)), connection, session).run())

        def made() -> str:
            found = place.find("deployment", "speech-router")
            return found["metadata"]["uid"] if found else ""

        before = await asyncio.to_thread(wait_until, made, within=30, what="the router is made")
        await asyncio.to_thread(place.run, "delete", "deployment", "speech-router")
        await asyncio.to_thread(wait_until, lambda: made() not in ("", before), within=60, what="it is back")
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
