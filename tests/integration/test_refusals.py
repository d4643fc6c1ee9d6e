"""Nonsense is refused by the API server, in a sentence that a person understands; what is sensible is taken."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from whisper_models.artifact import OFFERED
from whisper_operator.api.modelset import NOT_VARIANTS

from tests.e2e.resources import model_set, whisper_service
from tests.support.kubectl import Kubectl, KubectlError


def cpu(**fields: Any) -> dict[str, Any]:
    return whisper_service(runtimes={"cpu": fields})


def npu(**fields: Any) -> dict[str, Any]:
    return whisper_service(runtimes={"npu": fields})


def models(*entries: dict[str, Any]) -> dict[str, Any]:
    return model_set(models=list(entries))


def variants(*entries: dict[str, Any]) -> dict[str, Any]:
    return models({"name": "tiny", "variants": list(entries)})


EVERY_VARIANT = tuple(
    {"format": str(form), "precision": str(precision)}
    for form, several in OFFERED.items()
    if form not in NOT_VARIANTS
    for precision in several
)


ARCHIVE = {"url": "https://example.org/mine.tar", "sha256": "0" * 64}
STORE = {"claimName": "store"}


def sourced(**source: Any) -> dict[str, Any]:
    return models({"name": "mine", "source": source})


def routed(**fields: Any) -> dict[str, Any]:
    return whisper_service(routing=fields)


def probed(**fields: Any) -> dict[str, Any]:
    return routed(healthCheck=fields)


def sized(size: str | int) -> dict[str, Any]:
    return model_set(storage={"claimTemplate": {"size": size}})


@dataclass(frozen=True)
class Case:
    says: str
    resource: dict[str, Any]
    sentence: str = field(default="")


REFUSED = [
    Case(
        "a service without a runtime", whisper_service(runtimes={}), "spec.runtimes names no runtime: name at least one"
    ),
    Case("a service without a model", {**whisper_service(), "spec": {}}, 'missing required field "model"'),
    Case("minus one replica", cpu(replicas=-1), "spec.runtimes.cpu.replicas.*greater than or equal to 0"),
    Case("a long model name", whisper_service(model="whisper-tiny.en"), "write the model's short name: tiny.en"),
    Case("a name that is taken", whisper_service("a-cpu"), "must not end in one of -npu, -gpu, -mac, -cpu, -router"),
    Case("a name with a dot", whisper_service("a.b"), "must be lower-case letters, digits and '-'"),
    Case("a name that begins with a digit", model_set("9lives"), "begin with a letter"),
    Case("a name that is too long", whisper_service("a" * 53), "must not be longer than 52 characters"),
    Case("a duration without a unit", whisper_service(routing={"timeouts": {"request": "30"}}), "timeouts.request"),
    Case("a size that is none", whisper_service(routing={"maxUploadSize": "much"}), "maxUploadSize"),
    Case("no time between probes", probed(interval="0s"), "healthCheck.interval.*must be from 100ms to 1h"),
    Case("no time to answer a probe", probed(timeout="0ms"), "healthCheck.timeout.*must be from 100ms to 1h"),
    Case("no time for a request", routed(timeouts={"request": "0s"}), "timeouts.request.*must be from 1s to 24h"),
    Case(
        "an attempt longer than its request",
        routed(timeouts={"request": "1m", "attempt": "61s"}),
        "attempt must not be longer than request",
    ),
    Case("an attempt longer than a request by default", routed(timeouts={"attempt": "31m"}), "attempt must not be"),
    Case("a day for a request", routed(timeouts={"request": "25h"}), "timeouts.request.*must be from 1s to 24h"),
    Case("ages for a request", routed(timeouts={"request": "99999999h"}), "timeouts.request.*should match"),
    Case("no upload at all", routed(maxUploadSize="0"), "maxUploadSize.*must be from 1k to 4095Mi"),
    Case("half a byte", routed(maxUploadSize="500m"), "maxUploadSize.*must be from 1k to 4095Mi"),
    Case("more than the router counts", routed(maxUploadSize="5Gi"), "maxUploadSize.*must be from 1k to 4095Mi"),
    Case("a negative upload", routed(maxUploadSize=-1), "maxUploadSize.*must be from 1k to 4095Mi"),
    Case("negative resources", cpu(resources={"limits": {"cpu": -1}}), "limits.*must not be negative"),
    Case("a volume of nothing", sized("0"), "claimTemplate.size.*must be from 1Mi to 1000Ti"),
    Case("a negative volume", sized(-5), "claimTemplate.size.*must be from 1Mi to 1000Ti"),
    Case("a strange Service", whisper_service(exposure={"type": "Mesh"}), 'supported values: "ClusterIP"'),
    Case("no device to try", npu(deviceOrder=[]), "npu.deviceOrder.*at least 1 items"),
    Case("a device nobody tries", npu(deviceOrder=["TPU"]), 'supported values: "NPU", "GPU", "CPU"'),
    Case("a device twice", npu(deviceOrder=["CPU", "CPU"]), "deviceOrder: duplicate entries for key"),
    Case("a precision of another runtime", npu(precision="fp32"), 'supported values: "fp16", "int8", "int4"'),
    Case("a device without a domain", npu(devices=[{"resourceName": "accel"}]), "resourceName.*should match"),
    Case("none of a device", npu(devices=[{"resourceName": "a.io/b", "count": 0}]), "count.*greater than or equal"),
    Case("a resource twice", npu(devices=[{"resourceName": "a.io/b"}] * 2), "duplicate entries for key"),
    Case("root's group", npu(supplementalGroups=[0]), "supplementalGroups.*greater than or equal to 1"),
    Case("nobody's turn", cpu(concurrency=0), "concurrency.*greater than or equal to 1"),
    Case("a long name for one runtime's model", npu(model="whisper-tiny"), "write the model's short name"),
    Case("devices of the cpu", cpu(deviceOrder=["CPU"]), 'runtimes.cpu.: unknown field "deviceOrder"'),
    Case("a variable of ours", cpu(env=[{"name": "WHISPER_MODEL", "value": "x"}]), "are set by the operator"),
    Case("a variable twice", cpu(env=[{"name": "A"}, {"name": "A"}]), "duplicate entries for key"),
    Case("a field that does not exist", whisper_service(reutimes={}), 'unknown field "reutimes"'),
    Case("a set without models", models(), "spec.models.*at least 1 items"),
    Case("a model twice", models({"name": "tiny"}, {"name": "tiny"}), "duplicate entries for key"),
    Case(
        "a format nobody serves",
        variants({"format": "wav", "precision": "int8"}),
        'supported values: "pytorch", "onnx", "openvino", "ggml", "ctranslate2"',
    ),
    Case(
        "a variant that is not made",
        variants({"format": "pytorch", "precision": "int8"}),
        "there is no such variant; there are",
    ),
    Case("a precision of another format", variants({"format": "openvino", "precision": "q5_0"}), "openvino fp16, int8"),
    Case(
        "a similarity beyond sameness", model_set(validation={"similarity": 1.5}), "similarity.*less than or equal to 1"
    ),
    Case("a strange policy", model_set(validation={"policy": "Ignore"}), 'supported values: "Enforce", "Report"'),
    Case("a look at every byte each minute", model_set(reverifyEvery="1m"), "reverifyEvery.*must be from 1h to 9999h"),
    Case(
        "a hub asked all the time", model_set(refreshPolicy="OnChange", refreshEvery="1m"), "must be from 5m to 9999h"
    ),
    Case("how often nothing is asked", model_set(refreshEvery="1h"), "says how often refreshPolicy OnChange asks"),
    Case("a strange refresh", model_set(refreshPolicy="Always"), 'supported values: "IfNotPresent", "OnChange"'),
    Case(
        "a strange taste for what others made",
        model_set(readyMade="Sometimes"),
        'spec.readyMade: Unsupported value: "Sometimes": supported values: "IfPublished", "Never"',
    ),
    Case("a proxy's password", model_set(proxy={"httpsProxy": "http://a:b@proxy:3128"}), "must not hold a user name"),
    Case("two sources of one model", sourced(huggingFace={}, http=ARCHIVE), "exactly one of huggingFace, http"),
    Case("no source at all", sourced(), "exactly one of huggingFace, http, persistentVolumeClaim"),
    Case("an archive without a digest", sourced(http={"url": "http://a/b"}), 'missing required field "sha256"'),
    Case("a folder above", sourced(persistentVolumeClaim={"claimName": "a", "path": "../b"}), "path"),
    Case("two sources of a set", model_set(source={"huggingFace": {}, "persistentVolumeClaim": STORE}), "exactly one"),
    Case("an auxiliary without a kind", model_set(auxiliary=["silero"]), "spec.auxiliary.*should match"),
    Case("an auxiliary twice", model_set(auxiliary=["vad/silero", "vad/silero"]), "duplicate entries for key"),
    Case("a bundle in a Pod", model_set(caBundleRef={"kind": "Pod", "name": "a"}), 'supported values: "ConfigMap"'),
    Case("a variant without precision", variants({"format": "onnx"}), 'missing required field "precision"'),
    Case(
        "two kinds of storage",
        model_set(storage={"existingClaim": "a", "claimTemplate": {}}),
        "give existingClaim or claimTemplate, not both",
    ),
    Case(
        "deleting a claim of someone else's",
        model_set(storage={"existingClaim": "a", "reclaimPolicy": "Delete"}),
        "an existing claim is never deleted by the operator",
    ),
    Case("a hub without a scheme", model_set(source={"huggingFace": {"endpoint": "hub"}}), "huggingFace.endpoint"),
]
TAKEN = [
    Case("an npu alone", npu()),
    Case(
        "everything about an npu",
        npu(
            replicas=2,
            model="tiny",
            precision="fp16",
            deviceOrder=["NPU", "GPU", "CPU"],
            devices=[{"resourceName": "npu.intel.com/accel"}, {"resourceName": "gpu.intel.com/i915", "count": 2}],
            supplementalGroups=[44, 109],
            runtimeClassName="accelerated",
            resources={"limits": {"memory": "4Gi"}},
            placement={},
            image="registry.example/whisper-npu:mine",
            imagePullSecrets=[{"name": "registry"}],
            env=[{"name": "LANG", "value": "C.UTF-8"}],
            concurrency=2,
            queue={"maxAudioSeconds": 60},
        ),
    ),
    Case("the longest name", whisper_service("a" * 52)),
    Case("a number as an amount", cpu(resources={"limits": {"cpu": 2, "memory": "4Gi"}})),
    Case(
        "health checks as the plan has them",
        whisper_service(routing={"healthCheck": {"interval": "30s", "retries": 3}}),
    ),
    Case("the shortest times", routed(healthCheck={"interval": "100ms"}, timeouts={"request": "1s"})),
    Case("the longest times", routed(healthCheck={"timeout": "1h"}, timeouts={"request": "24h"})),
    Case("the largest upload", routed(maxUploadSize="4095Mi")),
    Case("the smallest upload", routed(maxUploadSize=1000)),
    Case("a volume with a fraction", sized("1.5Gi")),
    Case("no processor of its own", cpu(resources={"requests": {"cpu": 0}})),
    Case("every variant there is", variants(*EVERY_VARIANT)),
    Case(
        "everything about a set",
        model_set(
            proxy={"httpProxy": "http://proxy:3128", "noProxy": ".svc,10.0.0.0/8"},
            caBundleRef={"kind": "Secret", "name": "trust", "key": "bundle.pem"},
            validation={"similarity": 0.9, "policy": "Report", "samplesConfigMapRef": {"name": "clips"}},
            reverifyEvery="168h",
            refreshPolicy="OnChange",
            refreshEvery="30m",
            auxiliary=["vad/silero"],
            source={"persistentVolumeClaim": STORE},
        ),
    ),
    Case("an archive", sourced(http=ARCHIVE)),
    Case("a folder on a claim", sourced(persistentVolumeClaim={"claimName": "a", "path": "b/c.d"})),
    Case(
        "as many models in as many variants as may be",
        models(*({"name": f"m{number}", "variants": list(EVERY_VARIANT)} for number in range(64))),
    ),
    Case("only the base checkpoint", models({"name": "large-v3"})),
    Case("an own model", models({"name": "mine", "source": {"huggingFace": {"repo": "me/mine", "revision": "main"}}})),
    Case(
        "placement",
        cpu(
            placement={
                "nodeSelector": {"a": "b"},
                "tolerations": [{"key": "x", "operator": "Exists", "effect": "NoSchedule"}],
            }
        ),
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.says)
def test_refused(case: Case, api_server: Kubectl, namespace: str) -> None:
    with pytest.raises(KubectlError, match=case.sentence):
        api_server.within(namespace).apply([case.resource])


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.says)
def test_taken(case: Case, api_server: Kubectl) -> None:
    command = ("create", "--dry-run=server", "--validate=strict", "-f", "-")
    api_server.run(*command, stdin=json.dumps(case.resource))


def test_the_columns_tell_the_story(api_server: Kubectl) -> None:
    for kind, columns in (
        ("modelsets", ["Ready", "Models", "Progress", "Size", "Reason", "Age"]),
        ("whisperservices", ["Ready", "Active", "Chain", "Model", "URL", "Reason", "Age"]),
    ):
        definition = api_server.get("crd", f"{kind}.whisper.livetranslate.io")
        found = definition["spec"]["versions"][0]["additionalPrinterColumns"]
        assert [column["name"] for column in found if not column.get("priority")] == columns


def test_both_kinds_are_in_the_category_and_have_short_names(api_server: Kubectl) -> None:
    found = api_server.run("api-resources", "--categories=whisper", "-o", "wide")
    assert "wsvc" in found
    assert "mset" in found


def test_no_schema_has_a_default(api_server: Kubectl) -> None:
    def defaults(node: Any) -> bool:
        if isinstance(node, dict):
            is_schema = "type" in node or "properties" in node
            return (is_schema and "default" in node) or any(defaults(child) for child in node.values())
        return isinstance(node, list) and any(defaults(child) for child in node)

    for name in ("modelsets", "whisperservices"):
        assert not defaults(api_server.get("crd", f"{name}.whisper.livetranslate.io")["spec"]["versions"])
