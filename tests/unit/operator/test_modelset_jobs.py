"""What Jobs are given: command lines that `whisper-models` takes, files, environment and room."""

from typing import Any

import pytest
from whisper_models.cli import parser
from whisper_operator.plan.modelset.job import PROGRESS_PORT, job
from whisper_operator.plan.modelset.task import Task, Work
from whisper_operator.plan.modelset.wanted import wanted_variants

from tests.unit.operator.world import DEFAULTS, TINY, World

EVERYTHING: dict[str, Any] = {
    "models": [TINY | {"source": {"huggingFace": {"repo": "me/tiny", "revision": "main"}}}],
    "source": {"huggingFace": {"endpoint": "http://hub.example", "tokenSecretRef": {"name": "hub"}}},
    "proxy": {"httpsProxy": "http://proxy.example:3128", "noProxy": "10.0.0.0/8,.svc"},
    "caBundleRef": {"kind": "ConfigMap", "name": "trust"},
    "validation": {"similarity": 0.9, "samplesConfigMapRef": {"name": "clips"}},
}


def made(task: Task, **spec: Any) -> dict[str, Any]:
    """The pod's spec of a Job for this task."""
    models = World(spec={"models": [TINY]} | spec).resource
    wanted = wanted_variants(models, "models-models", "uid")
    one = wanted[0] if task in (Task.DOWNLOAD, Task.REFRESH) else wanted[1]
    pod: dict[str, Any] = job(models, Work(task, one, "in"), DEFAULTS)["spec"]["template"]["spec"]
    return pod


def env(pod: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in pod["containers"][0]["env"]}


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("spec", [{}, EVERYTHING], ids=["little", "everything"])
def test_whisper_models_takes_every_command_line(task: Task, spec: dict[str, Any]) -> None:
    args = made(task, **spec)["containers"][0]["args"]
    given = parser().parse_args(args)
    assert given.command == ("download" if task in (Task.REFRESH, Task.TAKE) else task)
    assert vars(given).get("or_convert", False) is (task is Task.TAKE)
    assert str(given.root) == "/models"
    assert given.models == ["tiny.en"]
    assert given.progress_port == PROGRESS_PORT
    assert str(given.termination_log) == "/dev/termination-log"
    if task not in (Task.DOWNLOAD, Task.REFRESH):
        assert (given.format, given.precision) == ("onnx", "int8")
    if task is Task.VALIDATE:
        assert given.threshold == (0.9 if spec else 0.95)


def test_every_volume_is_mounted_and_every_mount_has_a_volume() -> None:
    for task in Task:
        pod = made(task, **EVERYTHING)
        assert [one["name"] for one in pod["volumes"]] == [one["name"] for one in pod["containers"][0]["volumeMounts"]]


def test_only_what_asks_the_hub_is_told_the_token_the_proxy_and_whom_to_trust() -> None:
    for task in Task:
        pod = made(task, **EVERYTHING)
        asks = task in (Task.DOWNLOAD, Task.TAKE, Task.REFRESH)
        assert ("HTTPS_PROXY" in env(pod)) is asks
        assert (parser().parse_args(pod["containers"][0]["args"]).__dict__.get("ca_bundle") is not None) is asks
        assert any("secret" in one for one in pod["volumes"]) is asks
        assert any(one["name"] == "trust" for one in pod["volumes"]) is asks


def test_what_can_be_converted_as_well_does_not_wait_for_a_secret_that_is_gone() -> None:
    given = {"caBundleRef": {"kind": "Secret", "name": "trust"}, "source": EVERYTHING["source"]}
    optional = [one["secret"].get("optional") for one in made(Task.TAKE, **given)["volumes"] if "secret" in one]
    needed = [one["secret"].get("optional") for one in made(Task.DOWNLOAD, **given)["volumes"] if "secret" in one]
    bundle = made(Task.TAKE, **EVERYTHING)["volumes"][-1]["configMap"]
    assert (optional, needed, bundle.get("optional")) == ([True, True], [None, None], True)


def test_the_repository_of_a_checkpoint_is_not_asked_for_what_is_ready_made() -> None:
    given = parser().parse_args(made(Task.TAKE, **EVERYTHING)["containers"][0]["args"])
    assert (given.repo, given.revision, given.endpoint) == (None, None, "http://hub.example")
    assert given.token_file is not None


def test_the_bundle_may_be_in_a_secret() -> None:
    bundle = {"kind": "Secret", "name": "trust", "key": "bundle.pem"}
    pod = made(Task.DOWNLOAD, caBundleRef=bundle)
    secret = pod["volumes"][-1]["secret"]
    assert (secret["secretName"], secret["items"]) == ("trust", [{"key": "bundle.pem", "path": "ca.crt"}])
    given = parser().parse_args(pod["containers"][0]["args"])
    assert str(given.ca_bundle) == f"{pod['containers'][0]['volumeMounts'][-1]['mountPath']}/ca.crt"


SHA = "0" * 64
SOURCES: list[tuple[str, dict[str, Any], dict[str, str | None]]] = [
    ("the catalogue's", {}, {"repo": None, "url": None, "folder": None}),
    (
        "an archive",
        {"models": [TINY | {"source": {"http": {"url": "http://web.example/tiny.tar", "sha256": SHA}}}]},
        {"url": "http://web.example/tiny.tar", "sha256": SHA, "folder": None},
    ),
    (
        "a folder",
        {"models": [TINY | {"source": {"persistentVolumeClaim": {"claimName": "theirs", "path": "a/b"}}}]},
        {"url": None, "folder": "/source"},
    ),
    ("a store", {"source": {"persistentVolumeClaim": {"claimName": "theirs"}}}, {"repo": None, "folder": "/source"}),
]


@pytest.mark.parametrize(("spec", "options"), [case[1:] for case in SOURCES], ids=[case[0] for case in SOURCES])
def test_each_source_is_an_option_that_whisper_models_knows(
    spec: dict[str, Any], options: dict[str, str | None]
) -> None:
    pod = made(Task.DOWNLOAD, **spec)
    given = vars(parser().parse_args(pod["containers"][0]["args"]))
    assert {name: None if given[name] is None else str(given[name]) for name in options} == options
    assert any(one["name"] == "source" for one in pod["volumes"]) is (options["folder"] is not None)


def test_somebody_elses_claim_is_only_read_and_only_where_it_is_named() -> None:
    source = {"persistentVolumeClaim": {"claimName": "theirs", "path": "a/b"}}
    pod = made(Task.DOWNLOAD, models=[TINY | {"source": source}])
    claim = next(one["persistentVolumeClaim"] for one in pod["volumes"] if one["name"] == "source")
    mount = next(one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "source")
    assert claim == {"claimName": "theirs", "readOnly": True}
    assert mount == {"name": "source", "mountPath": "/source", "readOnly": True, "subPath": "a/b"}
    assert not any(one["name"] == "source" for one in made(Task.CONVERT, models=[TINY | {"source": source}])["volumes"])


@pytest.mark.parametrize("task", [Task.DOWNLOAD, Task.VERIFY, Task.REFRESH, Task.REMOVE])
def test_whisper_models_knows_models_around_transcription_by_the_same_words(task: Task) -> None:
    models = World(spec={"models": [TINY], "auxiliary": ["vad/silero"]}).resource
    wanted = wanted_variants(models, "models-models", "uid")[1]
    args = job(models, Work(task, wanted, "in"), DEFAULTS)["spec"]["template"]["spec"]["containers"][0]["args"]
    given = parser().parse_args(args)
    assert given.models == ["vad/silero"]
    if task in (Task.VERIFY, Task.REMOVE):
        assert (given.format, given.precision) == ("auxiliary", "stored")


def test_another_address_of_the_same_archive_is_no_other_source() -> None:
    def input_of(url: str, sha256: str = SHA) -> str:
        source = {"http": {"url": url, "sha256": sha256}}
        models = World(spec={"models": [TINY | {"source": source}]}).resource
        return wanted_variants(models, "models-models", "uid")[0].input

    assert input_of("http://a.example/m.tar") == input_of("http://b.example/m.tar")
    assert input_of("http://a.example/m.tar") != input_of("http://a.example/m.tar", "1" * 64)


def test_a_set_that_only_reports_asks_nothing_of_its_variants() -> None:
    args = made(Task.VALIDATE, validation={"policy": "Report"})["containers"][0]["args"]
    assert parser().parse_args(args).threshold == 0


@pytest.mark.parametrize(
    ("model", "task", "memory"),
    [
        ("tiny", Task.DOWNLOAD, "1Gi"),
        ("tiny", Task.CONVERT, "2Gi"),
        ("large-v2", Task.CONVERT, "13Gi"),
        ("large-v2", Task.TAKE, "13Gi"),
        ("tiny", Task.VALIDATE, "2Gi"),
        ("large-v3", Task.VALIDATE, "13Gi"),
        ("tiny", Task.REMOVE, "1Gi"),
    ],
)
def test_memory_is_bounded_by_the_size_of_the_checkpoint(model: str, task: Task, memory: str) -> None:
    pod = made(task, models=[TINY | {"name": model}])
    assert pod["containers"][0]["resources"]["limits"] == {"memory": memory}


def test_a_comparison_asks_for_room_for_fp32_on_the_node() -> None:
    requests = made(Task.VALIDATE)["containers"][0]["resources"]["requests"]
    assert requests["ephemeral-storage"] == "2Gi"


def test_no_process_of_a_job_is_process_1() -> None:
    for task in Task:
        assert made(task)["shareProcessNamespace"] is True
