"""What holds for every legal input."""

import re
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_operator.api.resource import NAME_LIMIT
from whisper_operator.api.schema import LABEL_NAME
from whisper_operator.api.whisperservice import WhisperService
from whisper_operator.plan.service import plan_service
from whisper_operator.plan.types import Images, ObservedService

from tests.unit.service.builders import DEFAULTS, again, health, kinds, live, modelset, observed

# Not a\\z: Kubernetes' names, as the CRD's rules let them through.
NAMES = st.from_regex(re.compile(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?"), fullmatch=True)
MODELS = st.from_regex(re.compile(r"[a-z0-9]([-._a-z0-9]{0,30}[a-z0-9])?"), fullmatch=True)
UPLOADS = st.one_of(
    st.sampled_from(["1k", "1Ki", "1024000m", "1.5Mi", "4G", "4095Mi"]),
    st.integers(1000, 4095 * 2**20).map(str),
    st.integers(1000, 4095 * 2**20),
    st.integers(1, 4095).map(lambda n: f"{n}Mi"),
)
PROBES = st.one_of(
    st.sampled_from(["100ms", "1h", "59m60s", "0h1s"]),
    st.integers(100, 360_000).map(lambda n: f"{n}ms"),
    st.integers(1, 60).map(lambda n: f"{n}m"),
)
REQUESTS = st.one_of(
    st.sampled_from(["1s", "1000ms", "1001ms", "24h", "23h60m", "0h2s"]),
    st.integers(1, 86400).map(lambda n: f"{n}s"),
    st.integers(1, 24).map(lambda n: f"{n}h"),
)


def maybe(**fields: Any) -> Any:
    return st.fixed_dictionaries({}, optional=fields)


SPECS = st.fixed_dictionaries(
    {
        "modelSetRef": st.just({"name": "models"}),
        "model": MODELS,
        "runtimes": maybe(replicas=st.integers(0, 9), queue=maybe(maxAudioSeconds=st.integers(1, 86400))).map(
            lambda cpu: {"cpu": cpu}
        ),
    },
    optional={
        "routing": maybe(
            replicas=st.integers(1, 5),
            loadBalancing=st.sampled_from(["LeastRequest", "RoundRobin", "Random"]),
            healthCheck=maybe(interval=PROBES, timeout=PROBES, retries=st.integers(1, 10)),
            timeouts=maybe(request=REQUESTS, attempt=REQUESTS),
            maxUploadSize=UPLOADS,
        ),
        "exposure": maybe(type=st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"])),
    },
)


@st.composite
def services(draw: st.DrawFn) -> WhisperService:
    metadata = {"name": draw(NAMES), "namespace": draw(NAMES), "uid": "5e51", "generation": draw(st.integers(1, 99))}
    return WhisperService.model_validate({"metadata": metadata, "spec": draw(SPECS)})


@st.composite
def situations(draw: st.DrawFn) -> ObservedService:
    resource = draw(services())
    state = draw(st.sampled_from(["Pending", "Downloading", "Ready", "Failed"]))
    model = draw(st.sampled_from([resource.spec.model, "another"]))
    return observed(
        resource=resource,
        modelset=draw(st.sampled_from([None, modelset(state, model=model)])),
        router=draw(st.sampled_from([None, health(0), health(2), health(None), health(2, None), health(2, 0)])),
        refusals=draw(st.sampled_from([(), ("quota",)])),
    )


@settings(deadline=None, max_examples=40)  # how fast a loaded machine is, is not what is tested
@given(situations())
def test_the_same_input_gives_the_same_plan(seen: ObservedService) -> None:
    assert plan_service(seen) == plan_service(seen)


@settings(deadline=None, max_examples=40)  # how fast a loaded machine is, is not what is tested
@given(situations())
def test_what_was_planned_is_left_alone(seen: ObservedService) -> None:
    first = plan_service(seen)
    carried_out = again(seen, first, resource=seen.resource, modelset=seen.modelset)
    second = plan_service(carried_out)
    assert second.apply == first.apply
    assert not second.prune
    with_status = again(carried_out, second, modelset=seen.modelset)
    third = plan_service(replace(with_status, resource=with_status.resource))
    assert third.status == second.status
    assert not third.events


@settings(deadline=None, max_examples=40)  # how fast a loaded machine is, is not what is tested
@given(services())
def test_every_name_is_a_dns_label_and_given_once(resource: WhisperService) -> None:
    assert len(resource.metadata.name) <= NAME_LIMIT
    plan = plan_service(observed(resource=resource, modelset=modelset(model=resource.spec.model)))
    for manifest in plan.apply:
        name = manifest["metadata"]["name"]
        assert re.fullmatch(LABEL_NAME, name)
        assert len(name) <= 63
        assert all(len(value) <= 63 for value in manifest["metadata"]["labels"].values())
    assert len(set(kinds(plan.apply))) == len(plan.apply)


@settings(deadline=None, max_examples=40)  # how fast a loaded machine is, is not what is tested
@given(situations())
def test_what_the_spec_no_longer_asks_for_is_pruned_and_nothing_else(seen: ObservedService) -> None:
    plan = plan_service(seen)
    stray = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old", "namespace": "ns", "uid": "u"}}
    with_stray = plan_service(observed(resource=seen.resource, modelset=seen.modelset, owned=(*live(plan), stray)))
    assert kinds_of(with_stray.prune) == ["ConfigMap/old"]


def kinds_of(references: Any) -> list[str]:
    return [f"{one.kind}/{one.name}" for one in references]


@settings(deadline=None, max_examples=40)  # how fast a loaded machine is, is not what is tested
@given(services())
def test_a_new_operator_that_changes_nothing_restarts_no_pod(resource: WhisperService) -> None:
    # The image of the model Jobs is all that a new version of the operator brings with it here.
    upgraded = replace(DEFAULTS, images=Images(models="models:2", runtimes={"cpu": "cpu:1"}, router="router:1"))
    usual = {"resource": resource, "modelset": modelset(model=resource.spec.model)}
    assert plan_service(observed(**usual)).apply == plan_service(observed(**usual, defaults=upgraded)).apply
