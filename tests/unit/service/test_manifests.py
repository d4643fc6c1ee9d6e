"""What the objects have in common, and how they fit together."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from whisper_operator.plan.service import plan_service
from whisper_operator.plan.service.manifests import FOR_EACH_RUNTIME, FOR_THE_ROUTER

from tests.unit.service.builders import Object, modelset, observed, service


def applied(**spec: Any) -> dict[tuple[str, str], Object]:
    plan = plan_service(observed(resource=service(**spec), modelset=modelset()))
    return {(one["kind"], one["metadata"]["name"]): one for one in plan.apply}


def pod_specs() -> Iterator[Object]:
    for (kind, _), one in applied().items():
        if kind == "Deployment":
            yield one["spec"]["template"]["spec"]


def test_every_builder_makes_one_object() -> None:
    assert len(applied()) == len(FOR_THE_ROUTER) + len(FOR_EACH_RUNTIME)


@pytest.mark.parametrize("pod", list(pod_specs()), ids=["router", "cpu"])
def test_every_pod_passes_the_restricted_profile(pod: Object) -> None:
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    assert not pod["enableServiceLinks"]
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert not context["allowPrivilegeEscalation"]
        assert context["readOnlyRootFilesystem"]
    assert {next(iter(set(volume) - {"name"})) for volume in pod["volumes"]} <= {
        "configMap",
        "emptyDir",
        "persistentVolumeClaim",
    }


def test_models_are_mounted_read_only() -> None:
    pod = applied()["Deployment", "speech-cpu"]["spec"]["template"]["spec"]
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "models-models", "readOnly": True}
    assert pod["containers"][0]["volumeMounts"][0]["readOnly"]


def test_a_changed_configuration_rolls_the_router_and_only_the_router() -> None:
    before, after = applied(), applied(routing={"healthCheck": {"interval": "5s"}})
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {("ConfigMap", "speech-router"), ("Deployment", "speech-router")}
    router = "Deployment", "speech-router"
    assert before[router]["spec"]["template"] != after[router]["spec"]["template"]


def test_services_find_the_pods_of_their_deployments() -> None:
    found = applied()
    for name, deployment in (
        ("speech", "speech-router"),
        ("speech-router", "speech-router"),
        ("speech-cpu", "speech-cpu"),
    ):
        selector = found["Service", name]["spec"]["selector"]
        labels = found["Deployment", deployment]["spec"]["template"]["metadata"]["labels"]
        assert selector.items() <= labels.items()


def test_the_configuration_names_the_runtimes_service_in_full() -> None:
    text = applied()["ConfigMap", "speech-router"]["data"]["envoy.yaml"]
    clusters = yaml.safe_load(text)["static_resources"]["clusters"]
    tier = clusters[0]["load_assignment"]["endpoints"][0]
    address = tier["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    assert address == {"address": "speech-cpu.demo.svc.cluster.local", "port_value": 5004}


def test_a_pod_gets_as_long_to_end_as_its_requests_may_take() -> None:
    found = applied(routing={"timeouts": {"request": "1m"}})
    grace = {
        name: one["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        for (kind, name), one in found.items()
        if kind == "Deployment"
    }
    assert grace == {"speech-router": 75, "speech-cpu": 75}


def test_there_are_two_routers_unless_the_spec_says_otherwise() -> None:
    replicas = [
        applied(routing=routing)["Deployment", "speech-router"]["spec"]["replicas"] for routing in ({}, {"replicas": 1})
    ]
    assert replicas == [2, 1]


def test_one_pod_needs_no_budget() -> None:
    found = applied(routing={"replicas": 1}, runtimes={"cpu": {"replicas": 1}})
    assert not [name for kind, name in found if kind == "PodDisruptionBudget"]


@pytest.mark.parametrize("replicas", [2, 5])
def test_a_node_can_always_be_drained_one_pod_of_a_kind_at_a_time(replicas: int) -> None:
    found = applied(routing={"replicas": replicas}, runtimes={"cpu": {"replicas": replicas}})
    budgets = {name: one["spec"] for (kind, name), one in found.items() if kind == "PodDisruptionBudget"}
    assert set(budgets) == {"speech-router", "speech-cpu"}
    for name, budget in budgets.items():
        pods = found["Deployment", name]["spec"]["template"]["metadata"]["labels"]
        assert budget["selector"]["matchLabels"].items() <= pods.items()
        # Never all but one: a last pod would keep its node from being drained for ever.
        assert (budget["maxUnavailable"], budget.get("minAvailable")) == (1, None)
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_an_attempt_has_no_limit_of_its_own_unless_the_spec_gives_one() -> None:
    def policy(**timeouts: str) -> Object:
        text = applied(routing={"timeouts": timeouts})["ConfigMap", "speech-router"]["data"]["envoy.yaml"]
        listener = yaml.safe_load(text)["static_resources"]["listeners"][0]
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        found: Object = manager["route_config"]["virtual_hosts"][0]["routes"][-1]["route"]
        return found

    assert "per_try_timeout" not in policy()["retry_policy"]
    limited = policy(request="10m", attempt="90s")
    assert (limited["timeout"], limited["retry_policy"]["per_try_timeout"]) == ("600s", "90s")


def test_a_process_that_hangs_is_ended_within_half_a_minute_and_a_slow_one_is_not() -> None:
    pod = applied()["Deployment", "speech-cpu"]["spec"]["template"]["spec"]["containers"][0]
    probe = pod["livenessProbe"]
    longest = probe["periodSeconds"] + probe["failureThreshold"] * max(probe["periodSeconds"], probe["timeoutSeconds"])
    assert longest + probe["terminationGracePeriodSeconds"] <= 30
    assert probe["timeoutSeconds"] >= 5


def test_memory_for_uploads_is_granted_with_them() -> None:
    def limit(**routing: str) -> str:
        pod = applied(routing=routing)["Deployment", "speech-router"]["spec"]["template"]["spec"]
        return str(pod["containers"][0]["resources"]["limits"]["memory"])

    assert (limit(), limit(maxUploadSize="512Mi")) == ("1024Mi", "4352Mi")


def test_a_runtime_has_all_the_time_that_a_request_has_and_says_itself_when_it_is_over() -> None:
    def given(request: str) -> str:
        return options(timeouts={"request": request})["request-seconds"]

    assert (given("30m"), given("10s"), given("1s"), given("24h")) == ("1798", "9", "0.9", "86398")


def test_an_upload_limit_that_the_user_chose_is_every_endpoints() -> None:
    limits = {"max-upload-bytes", "openai-upload-bytes"}
    assert not limits & set(options())
    assert {options(maxUploadSize="1Mi")[limit] for limit in limits} == {"1048576"}


def test_a_variable_of_the_users_meets_none_of_ours() -> None:
    asked = [{"name": "POD_NAME", "value": "mine"}]
    deployment = applied(runtimes={"cpu": {"env": asked}})["Deployment", "speech-cpu"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["env"] == asked


def options(**routing: Any) -> dict[str, str]:
    """The runtime's command line."""
    pod = applied(routing=routing)["Deployment", "speech-cpu"]["spec"]["template"]["spec"]
    return dict(word.removeprefix("--").split("=", 1) for word in pod["containers"][0]["args"][1:])


def test_the_drain_page_has_the_key_that_kubernetes_knocks_with() -> None:
    found = applied()
    hook = found["Deployment", "speech-router"]["spec"]["template"]["spec"]["containers"][0]["lifecycle"]["preStop"][
        "httpGet"
    ]
    assert hook["httpHeaders"][0]["value"] in found["ConfigMap", "speech-router"]["data"]["envoy.yaml"]
