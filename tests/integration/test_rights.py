"""The operator with the rights that the chart gives it, and no others: they are enough for all that it does, and it
uses each of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from whisper_operator.plan import names

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.operator_process import operator_process
from tests.integration.security.audit import FORBIDDEN, Request, requests_of, used
from tests.integration.security.rights import account, grants, rendered, settings
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

WITHIN = 90.0
ASKED_FOR_BY_ADMISSION = {
    ("whisper.livetranslate.io", f"{resource}/finalizers", "update") for resource in ("modelsets", "whisperservices")
}
"""No request of its own: the API server asks for it where an owner's deletion is blocked; see the security tests."""
SUPERFLUOUS = ("deployment/speech-cpu", "service/speech-cpu", "configmap/speech-router", "pdb/speech-router")


def strays(place: Kubectl) -> list[dict[str, Any]]:
    """One of each kind, as an earlier version of the operator could have made it for the service."""
    found = []
    for one in SUPERFLUOUS:
        made = place.get(one)
        meta = made["metadata"]
        made.pop("status", None)
        kept = {name: meta[name] for name in ("labels", "ownerReferences")}
        spec = {key: value for key, value in made.get("spec", {}).items() if not key.startswith(("clusterIP", "ip"))}
        found.append(made | {"metadata": kept | {"name": "stray"}} | ({"spec": spec} if spec else {}))
    return found


def strangers() -> list[dict[str, Any]]:
    """Somebody else's objects under names that the operator wants; of these it asks what they are."""
    pod = {"containers": [{"name": "a", "image": "a"}], "restartPolicy": "Never"}
    labels = {"app": "theirs"}
    template = {"metadata": {"labels": labels}, "spec": pod}
    lasting = template | {"spec": pod | {"restartPolicy": "Always"}}
    job = names.job("taken-models", "tiny.en", "pytorch", "stored")
    specs: dict[tuple[str, str, str], dict[str, Any]] = {
        ("v1", "ConfigMap", "taken-router"): {},
        ("v1", "Service", "taken"): {"spec": {"ports": [{"port": 1}]}},
        ("policy/v1", "PodDisruptionBudget", "taken-router"): {"spec": {"selector": {"matchLabels": labels}}},
        ("batch/v1", "Job", job): {"spec": {"suspend": True, "template": template}},
        ("apps/v1", "Deployment", "taken-router"): {
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": lasting}
        },
    }
    return [
        {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **spec}
        for (version, kind, name), spec in specs.items()
    ]


def live(place: Kubectl) -> None:
    """Everything that the operator ever has to do."""
    place.apply([*strangers(), model_set("taken"), whisper_service("taken", models="taken")])
    for kind in ("wsvc", "mset"):
        found = place.wait_condition(kind, "taken", "Stalled", within=WITHIN)
        assert found["reason"] == "NameTaken"
    place.run("delete", "wsvc,mset", "taken")
    place.run("delete", "-f", "-", stdin=yaml.safe_dump_all(strangers()))
    place.apply([model_set(), whisper_service()])
    jobs.fail(place, "download", "NotFound")
    wait_until(lambda: place.condition("mset", "models", "Ready").get("reason") == "NotFound", within=WITHIN)
    jobs.succeed_all(place)
    place.wait_condition("wsvc", "speech", "ModelsReady", within=WITHIN)
    wait_until(lambda: place.find("deployment", "speech-cpu"), within=WITHIN, what="the runtime is made")
    place.apply(strays(place))
    added = [f"{one.split('/')[0]}/stray" for one in SUPERFLUOUS]
    wait_until(lambda: not any(place.find(name) for name in added), within=WITHIN, what="what is superfluous goes")
    wait_until(lambda: not place.items("jobs"), within=WITHIN, what="Jobs that are done go")


@pytest.mark.parametrize("scope", ["cluster", "namespace"])
def test_the_rights_of_the_chart_are_enough_and_each_is_used(
    scope: str, helm: Path, api_server: Kubectl, namespace: str, tmp_path: Path
) -> None:
    chart = rendered(helm, namespace, watchNamespaces=[namespace] if scope == "namespace" else [])
    with account(api_server, chart, namespace, tmp_path) as operators:
        chatty = settings(chart, namespace) | {"log_level": "DEBUG"}
        with operator_process(operators.kubeconfig, tmp_path / "log", **chatty):
            live(api_server.within(namespace))

        def requests_that_use_each() -> list[Request]:
            found = requests_of(operators.user, api_server.kubeconfig)
            assert grants(chart) - used(found) - ASKED_FOR_BY_ADMISSION == set()
            return found

        # a watch is written down when the API server notices its end
        asked = wait_until(requests_that_use_each, within=60, what="each right is used")

    assert [one for one in asked if one.code == FORBIDDEN] == []
    if scope == "namespace":
        assert {one.namespace for one in asked if one.grant[1] != "storageclasses"} == {namespace}
    log = (tmp_path / "log").read_text()
    assert "forbidden" not in log.lower()
    assert operators.token not in log
