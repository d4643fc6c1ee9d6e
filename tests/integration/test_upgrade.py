"""Another build of the operator that changes nothing of substance: it takes over, and nothing at all is written."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import whisper_operator

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.operator_process import OperatorProcess, operator_process
from tests.integration.test_service import objects, rested, versions
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

IMAGES = {"models_image": "models:1", "cpu_image": "cpu:1", "router_image": "router:1"}
NEW = "99.0.0"
Started = AbstractContextManager[OperatorProcess]
OTHERS = {"log_level": "DEBUG", "resync_seconds": "2", "workers": "3"}
"""What concerns the operator's own process alone."""


@pytest.fixture
def new_build(tmp_path: Path) -> Path:
    """A folder with this operator as a later version: another version, another tag, other paths."""
    folder = tmp_path / "new-build"
    package = folder / "whisper_operator"
    shutil.copytree(Path(str(whisper_operator.__file__)).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    configuration = package / "config.py"
    text, count = re.subn(r'TAG = "[^"]*"', f'TAG = "{NEW}"', configuration.read_text())
    assert count == 1
    configuration.write_text(text)
    metadata = folder / f"whisper_operator-{NEW}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: whisper-operator\nVersion: {NEW}\n")
    return folder


def settle(place: Kubectl, operator: OperatorProcess) -> None:
    place.apply([model_set(), whisper_service()])
    jobs.succeed_all(place)
    place.wait_condition("wsvc", "speech", "ModelsReady", within=90)
    wait_until(lambda: place.find("deployment", "speech-cpu"), within=90, what="the runtime is made")
    rested(place, operator)


def looked_at_twice(operator: OperatorProcess) -> None:
    """Each of the two resources was planned at least twice."""
    wait_until(lambda: operator.metric("whisper_operator_reconciles_total") >= 6, within=120, what="all was looked at")


def pods(place: Kubectl) -> set[str]:
    return {one["metadata"]["uid"] for one in place.items("pods")}


def generations(place: Kubectl) -> dict[str, int]:
    found = objects(place, "-l", "app.kubernetes.io/managed-by=whisper-operator")
    return {name: one["metadata"]["generation"] for name, one in found.items() if name.startswith("Deployment")}


def start(place: Kubectl, log: Path, monkeypatch: pytest.MonkeyPatch, seed: str, **settings: str) -> Started:
    monkeypatch.setenv("PYTHONHASHSEED", seed)
    return operator_process(place.kubeconfig, log, namespaces=str(place.namespace), **settings)


def test_a_build_that_changes_nothing_of_substance_writes_nothing(
    api_server: Kubectl, namespace: str, tmp_path: Path, new_build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = api_server.within(namespace)
    with start(place, tmp_path / "old.log", monkeypatch, "1", **IMAGES) as old:
        settle(place, old)
    before = versions(place), generations(place), pods(place)

    monkeypatch.setenv("PYTHONPATH", str(new_build))
    version = [sys.executable, "-m", "whisper_operator", "version"]
    told = subprocess.run(version, env=os.environ, capture_output=True, text=True, check=True).stdout
    with start(place, tmp_path / "new.log", monkeypatch, "2", **IMAGES, **OTHERS) as new:
        looked_at_twice(new)
        writes = new.metric("whisper_operator_writes_total")

    assert told.strip() == NEW
    assert writes == 0
    assert (versions(place), generations(place), pods(place)) == before


def test_another_image_of_the_runtime_rolls_the_runtime_alone(
    api_server: Kubectl, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above can fail."""
    place = api_server.within(namespace)
    with start(place, tmp_path / "old.log", monkeypatch, "1", **IMAGES) as old:
        settle(place, old)
    before = generations(place)
    with start(place, tmp_path / "new.log", monkeypatch, "1", **{**IMAGES, "cpu_image": "cpu:2"}):
        wait_until(lambda: generations(place) != before, within=90, what="the runtime is rolled out")
        assert generations(place) == before | {"Deployment/speech-cpu": before["Deployment/speech-cpu"] + 1}
