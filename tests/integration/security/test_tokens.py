"""A hub's token reaches the hub and nobody else: no log, however chatty, no argument, file, object or other host."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.resources import model_set
from tests.integration import jobs
from tests.integration.operator_process import operator_process
from tests.integration.security.conftest import REPOSITORY
from tests.integration.security.gate import gate
from tests.support.hub import Hub, serve
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

TALKATIVE = (
    "import logging, sys; logging.basicConfig(level=logging.DEBUG); "
    "from whisper_models.cli import main; sys.exit(main(sys.argv[1:]))"
)
"""The real command, with every library's log on."""
WITHIN = 180.0


@dataclass(frozen=True)
class Job:
    """One run of the command as a Job would run it, and everything that it leaves."""

    folder: Path
    token_file: Path

    @property
    def root(self) -> Path:
        return self.folder / "models"

    @property
    def termination_log(self) -> Path:
        return self.folder / "termination-log"

    def start(self, endpoint: str, *more: str, **environment: str) -> "subprocess.Popen[str]":
        words = ["download", "--root", str(self.root), "--models", "mine", "--repo", REPOSITORY, "--revision", "main"]
        words += ["--endpoint", endpoint, "--token-file", str(self.token_file)]
        return self.run_words([*words, "--termination-log", str(self.termination_log), *more], **environment)

    def run_words(self, words: list[str], **environment: str) -> "subprocess.Popen[str]":
        log = {"HF_DEBUG": "1", "HF_HUB_VERBOSITY": "debug"}
        clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        return subprocess.Popen(
            [sys.executable, "-c", TALKATIVE, *words],
            env=clean | log | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def files(self) -> str:
        """The content of all that it wrote, as text."""
        left = [path for path in self.folder.rglob("*") if path.is_file() and path != self.token_file]
        return "\n".join(path.read_bytes().decode("latin-1") for path in left)

    def ended(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.termination_log.read_text())
        return found


@pytest.fixture
def job(tmp_path: Path, token: str) -> Job:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "token").write_text(f"{token}\n")
    return Job(tmp_path, secret / "token")


def test_the_hub_asks_for_the_token(guarded: Hub, token: str) -> None:
    asked = httpx.get(f"{guarded.url}/api/models/{REPOSITORY}", trust_env=False)
    shown = {"Authorization": f"Bearer {token}"}
    assert asked.status_code == 401
    assert httpx.get(f"{guarded.url}/api/models/{REPOSITORY}", headers=shown, trust_env=False).is_success


@dataclass(frozen=True)
class Case:
    says: str
    outcome: str
    fault: dict[str, Any] | None = None
    file: str = "{}\n"
    """The token file's content."""
    known: str | None = None
    """The token that the hub knows, where it is another one."""


CASES = [
    Case("all is well", "Ready"),
    Case("the hub knows another token", "AuthFailed", known="another"),
    Case("403 on a file", "AuthFailed", {"kind": "status", "path": "*model.safetensors", "status": 403}),
    Case("the hub is in trouble", "HubError", {"kind": "status", "path": "/api/*", "status": 503}),
    Case("a file is cut", "HubUnreachable", {"kind": "cut", "path": "/_stored/*", "after": 0}),
    Case("a byte is flipped", "ChecksumMismatch", {"kind": "corrupt", "path": "/_stored/*", "after": 9}),
    Case("the file holds two tokens", "AuthFailed", file="{0}\n{0}\n"),
    Case("the file holds a letter that no header may", "AuthFailed", file="{}é"),
    Case("the file holds more than the token", "AuthFailed", file="token: {}"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_no_log_and_no_file_has_it_however_it_ends(case: Case, guarded: Hub, job: Job, token: str) -> None:
    guarded.faults.replace([case.fault] if case.fault else [])
    guarded.token = case.known or token
    job.token_file.write_text(case.file.format(token))
    told = job.start(guarded.url).communicate(timeout=WITHIN)[0]

    ended = job.ended()
    assert ended.get("reason", ended["outcome"]) == case.outcome, told[-2000:]
    assert token not in told
    assert token not in job.files()
    assert "Traceback" not in told


def test_nobody_else_is_asked_for_anything(guarded: Hub, published: Path, job: Job) -> None:
    """The Hub's client, left to itself, asks the public hub about the program that runs it."""
    with serve(published) as public:
        job.start(guarded.url, HF_ENDPOINT=public.url).communicate(timeout=WITHIN)

    assert job.ended()["outcome"] == "Ready"
    assert public.requests == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_neither_arguments_nor_environment_nor_progress_have_it(guarded: Hub, job: Job, token: str) -> None:
    guarded.faults.replace([{"kind": "slow", "path": "/_stored/*", "rate": 300_000}])
    port = free_port()
    with job.start(guarded.url, "--progress-port", str(port)) as process:

        def under_way() -> str:
            try:
                page = httpx.get(f"http://127.0.0.1:{port}/progress", trust_env=False)
            except httpx.TransportError:
                return ""
            return page.text if page.json()["bytes_done"] > 300_000 else ""

        progress = wait_until(under_way, within=WITHIN, every=0.05, what="bytes arrive")
        of_process = Path("/proc") / str(process.pid)
        arguments, environment = ((of_process / name).read_text() for name in ("cmdline", "environ"))
        parts = job.files()
        guarded.faults.replace([])
        process.communicate(timeout=WITHIN)

    assert "--token-file" in arguments
    assert list(job.root.rglob("*.safetensors*"))
    for seen in (arguments, environment, progress, parts):
        assert token not in seen
    assert job.ended()["outcome"] == "Ready"


def test_a_host_that_the_hub_sends_to_for_large_files_is_not_shown_it(guarded: Hub, job: Job, token: str) -> None:
    with ExitStack() as stack:
        delivery = stack.enter_context(gate(guarded.url, token=token))
        hub = stack.enter_context(gate(guarded.url, sends="/_stored/", elsewhere=delivery.url))
        told = job.start(hub.url).communicate(timeout=WITHIN)[0]

    assert job.ended()["outcome"] == "Ready", told[-2000:]
    assert any(token in shown for shown in hub.shown)
    assert any("/_stored/" in shown for shown in delivery.shown)
    assert not [shown for shown in delivery.shown if token in shown]


def test_a_host_that_the_hub_sends_everyone_to_is_not_shown_it(guarded: Hub, job: Job, token: str) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(gate(guarded.url))
        hub = stack.enter_context(gate(guarded.url, sends="/", elsewhere=other.url))
        told = job.start(hub.url).communicate(timeout=WITHIN)[0]

    assert job.ended()["reason"] == "AuthFailed", told[-2000:]
    assert any(token in shown for shown in hub.shown)
    assert other.shown
    assert not [shown for shown in other.shown if token in shown]


@pytest.mark.parametrize("address", ["http://me:{token}@{hub}", "http://{token}@{hub}", "http://me:{token}/x@{hub}"])
def test_an_address_with_a_password_is_refused_without_repeating_it(
    address: str, guarded: Hub, job: Job, token: str
) -> None:
    endpoint = address.format(token=token, hub=guarded.url.removeprefix("http://"))
    told = job.start(endpoint).communicate(timeout=WITHIN)[0]

    assert job.ended()["reason"] == "AuthFailed"
    assert token not in told + job.files()
    assert guarded.requests == []


@pytest.mark.parametrize("proxy", ["http://me:{token}@127.0.0.1:{port}", "http://me:{token}/x@127.0.0.1:{port}"])
def test_a_password_of_a_proxy_is_not_told(proxy: str, job: Job, token: str) -> None:
    address = proxy.format(token=token, port=free_port())
    told = job.start("http://hub.example", HTTP_PROXY=address, http_proxy=address).communicate(timeout=WITHIN)[0]

    assert job.ended()["reason"] == "HubUnreachable"
    assert token not in told + job.files()


EVERYTHING = (
    "modelsets,whisperservices,jobs,pods,configmaps,events,persistentvolumeclaims,services,deployments,"
    "replicasets,serviceaccounts,events.events.k8s.io"
)


def everything_but_secrets(place: Kubectl) -> str:
    return place.run("get", EVERYTHING, "-o", "json", "--show-managed-fields")


def as_its_job_says(place: Kubectl, job: Job) -> tuple[dict[str, Any], str]:
    """Run the real command with the live Job's arguments, its paths being this machine's; what it said."""
    live = jobs.job(place, "download")
    container = live["spec"]["template"]["spec"]["containers"][0]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    words = [
        word.replace(mounts["hub-token"], str(job.token_file.parent))
        .replace(mounts["models"], str(job.root))
        .replace(container["terminationMessagePath"], str(job.termination_log))
        for word in container["args"]
    ]
    words[words.index("--progress-port") + 1] = str(free_port())
    told = job.run_words(words).communicate(timeout=WITHIN)[0]
    jobs.end(place, live, int(job.ended()["outcome"] != "Ready"), job.termination_log.read_text())
    return live, told


def test_a_set_with_a_token_downloads_and_no_object_and_no_log_has_it(
    api_server: Kubectl, namespace: str, guarded: Hub, job: Job, token: str, tmp_path: Path
) -> None:
    place, log = api_server.within(namespace), tmp_path / "operator.log"
    hub = {"endpoint": guarded.url, "tokenSecretRef": {"name": "hub", "key": "access"}}
    source = {"huggingFace": {"repo": REPOSITORY, "revision": "main"}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hub"}, "stringData": {"access": token}}
    spec = {"models": [{"name": "mine", "source": source}], "source": {"huggingFace": hub}}
    right, guarded.token = guarded.token, "another"
    with operator_process(api_server.kubeconfig, log, namespaces=namespace, log_level="DEBUG") as operator:
        place.apply([secret, model_set() | {"spec": spec}])
        live, told = as_its_job_says(place, job)
        wait_until(lambda: place.condition("mset", "models", "Ready").get("reason") == "AuthFailed", within=WITHIN)
        seen = everything_but_secrets(place)

        guarded.token = right
        told += as_its_job_says(place, job)[1]
        place.wait_condition("mset", "models", "Ready", within=WITHIN)
        seen += everything_but_secrets(place) + operator.get("/metrics")[1]

    pod = live["spec"]["template"]["spec"]
    volume = next(one for one in pod["volumes"] if one["name"] == "hub-token")["secret"]
    assert volume == {"secretName": "hub", "items": [{"key": "access", "path": "token"}], "defaultMode": 0o440}
    assert "AuthFailed" in seen
    assert [text for text in (seen, told, job.files(), log.read_text()) if token in text] == []


def test_the_api_server_refuses_an_address_with_a_password(api_server: Kubectl, namespace: str) -> None:
    for models, source in (
        ([{"name": "tiny"}], {"huggingFace": {"endpoint": "http://me:pass@hub"}}),
        ([{"name": "tiny", "source": {"huggingFace": {"endpoint": "http://me:pass@hub"}}}], None),
    ):
        wrong = model_set() | {"spec": {"models": models} | ({"source": source} if source else {})}
        with pytest.raises(AssertionError, match="must not hold a user name or password"):
            api_server.within(namespace).apply([wrong])
