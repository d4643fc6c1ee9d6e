"""The chart as the real Helm renders it: its rights, its settings, its definitions."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from whisper_operator import config
from whisper_operator.cluster.kinds import CUSTOM, OWNED

from tests.cluster import settings
from tests.cluster.binaries import Binaries

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "whisper-operator"
Object = dict[str, Any]
Helm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def helm() -> Helm:
    binaries = Binaries(settings.read().cache)
    binaries.build(["helm"], say=print)

    def run(*words: str, **values: Any) -> subprocess.CompletedProcess[str]:
        command = [str(binaries.path("helm")), *words, "--values", "-"]
        return subprocess.run(
            command, input=json.dumps(values), capture_output=True, text=True, check=False, timeout=120
        )

    return run


@pytest.fixture
def render(helm: Helm) -> Callable[..., list[Object]]:
    def objects(**values: Any) -> list[Object]:
        done = helm("template", "whisper", str(CHART), "--namespace", "whisper-system", **values)
        assert done.returncode == 0, done.stderr
        return [one for one in yaml.safe_load_all(done.stdout) if one]

    return objects


Render = Callable[..., list[Object]]


def rules(objects: list[Object]) -> list[Object]:
    return [rule for one in objects if one["kind"] in ("Role", "ClusterRole") for rule in one["rules"]]


def test_helm_finds_nothing_to_complain_about(helm: Helm) -> None:
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


def test_there_is_no_wildcard_and_no_secret_in_the_rights(render: Render) -> None:
    for rule in rules(render()):
        words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert "*" not in words
        assert "secrets" not in words


def test_the_operator_may_watch_every_kind_that_it_watches(render: Render) -> None:
    may = {
        (group, resource)
        for rule in rules(render())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if {"list", "watch"} <= set(rule["verbs"])
    }
    assert {(kind.group, kind.plural) for kind in (*CUSTOM, *OWNED)} <= may


def test_the_operator_never_writes_what_users_write(render: Render) -> None:
    for rule in rules(render()):
        if {"modelsets", "whisperservices"} & set(rule["resources"]):
            assert set(rule["verbs"]) == {"list", "watch"}


def test_named_namespaces_get_a_role_each_and_nothing_cluster_wide(render: Render) -> None:
    objects = render(watchNamespaces=["one", "two"], readStorageClasses=False)
    assert not [one for one in objects if one["kind"].startswith("ClusterRole")]
    roles = [one for one in objects if one["kind"] == "Role"]
    assert [one["metadata"].get("namespace", "released") for one in roles] == ["released", "one", "two"]


def test_the_operator_may_do_nothing_to_other_leases_but_make_them(render: Render) -> None:
    of_leases = [rule for rule in rules(render()) if "leases" in rule["resources"]]
    assert {tuple(rule.get("resourceNames", ())): rule["verbs"] for rule in of_leases} == {
        ("whisper",): ["get", "update"],
        (): ["create"],
    }


def test_replicas_replace_each_other_without_a_gap_and_a_drain_takes_one_at_a_time(render: Render) -> None:
    objects = render()
    deployment = find(objects, "Deployment")
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert find(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    selected = deployment["spec"]["selector"]
    assert find(objects, "PodDisruptionBudget")["spec"]["selector"] == selected
    (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert (spread["labelSelector"], spread["whenUnsatisfiable"]) == (selected, "ScheduleAnyway")


def test_a_single_replica_does_not_keep_its_node_from_being_drained(render: Render) -> None:
    assert not [one for one in render(replicas=1) if one["kind"] == "PodDisruptionBudget"]


def test_the_metrics_of_every_replica_are_found(render: Render) -> None:
    objects = render(monitoring={"podMonitor": True})
    selected = find(objects, "Deployment")["spec"]["selector"]["matchLabels"]
    assert find(objects, "Service")["spec"]["selector"] == selected
    assert find(objects, "PodMonitor")["spec"]["selector"]["matchLabels"] == selected


def test_every_variable_of_the_chart_is_a_setting_of_the_operator(render: Render) -> None:
    objects = render(watchNamespaces=["one"], hub={"endpoint": "http://hub"}, images={"pullSecrets": ["a", "b"]})
    found = config.read(environment(objects))
    assert (found.namespaces, found.hub_endpoint, found.pull_secrets) == (("one",), "http://hub", ("a", "b"))


def test_the_charts_defaults_are_the_operators_but_for_the_lease(render: Render) -> None:
    found = config.read(environment(render()))
    assert found == config.Config(lease_name="whisper", lease_namespace="metadata.namespace", replica="metadata.name")


def test_the_operators_pod_passes_the_restricted_profile(render: Render) -> None:
    pod = next(one for one in render() if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    context = pod["containers"][0]["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["readOnlyRootFilesystem"]
    assert not context["allowPrivilegeEscalation"]


def test_the_definitions_are_those_of_the_repository_and_stay(render: Render) -> None:
    rendered = {one["metadata"]["name"]: one for one in render() if one["kind"] == "CustomResourceDefinition"}
    ours = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert {one["metadata"]["name"]: one["spec"] for one in ours} == {
        name: one["spec"] for name, one in rendered.items()
    }
    assert {one["metadata"]["annotations"]["helm.sh/resource-policy"] for one in rendered.values()} == {"keep"}


def test_a_misspelt_value_is_refused(helm: Helm) -> None:
    done = helm("template", "whisper", str(CHART), watchNamespace=["one"])
    assert done.returncode != 0
    assert "watchNamespace" in done.stderr


def find(objects: list[Object], kind: str) -> Object:
    return next(one for one in objects if one["kind"] == kind)


def container(objects: list[Object]) -> Object:
    found: Object = find(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return found


def environment(objects: list[Object]) -> dict[str, str]:
    """Its variables; what the pod's own fields give is the field's path."""
    return {
        one["name"]: one["value"] if "value" in one else one["valueFrom"]["fieldRef"]["fieldPath"]
        for one in container(objects)["env"]
    }
