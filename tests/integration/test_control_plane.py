"""The bare API server that integration tests stand on."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cluster.binaries import Binaries
from tests.cluster.processes import run
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until


def test_a_namespace_is_there_with_its_service_account(binaries: Binaries, control_plane: Path, namespace: str) -> None:
    kubectl = Kubectl(str(binaries.path("kubectl")), control_plane, namespace)
    wait_until(lambda: kubectl.find("serviceaccount", "default"), within=120, what="the controllers run")


def test_what_has_no_rights_is_refused(binaries: Binaries, control_plane: Path, namespace: str) -> None:
    kubectl = Kubectl(str(binaries.path("kubectl")), control_plane, namespace)
    account = f"system:serviceaccount:{namespace}:default"
    answer = subprocess.run(
        kubectl.command("auth", "can-i", "list", "secrets", f"--as={account}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout.strip() == "no"


def test_restricted_pod_security_refuses_a_root_pod(binaries: Binaries, control_plane: Path, namespace: str) -> None:
    kubectl = Kubectl(str(binaries.path("kubectl")), control_plane, namespace)
    kubectl.run("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    wait_until(lambda: kubectl.find("serviceaccount", "default"), within=120, what="the controllers run")
    command = kubectl.command("run", "root", "--image=nothing", "--dry-run=server")
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "violates PodSecurity" in refused.stderr


def test_it_ends_with_the_process_that_started_it_even_when_that_is_killed(binaries: Binaries, tmp_path: Path) -> None:
    """A session that is killed leaves no API server behind."""
    script = (
        "import sys, os, signal\n"
        "from pathlib import Path\n"
        "from tests.cluster.binaries import Binaries\n"
        "from tests.cluster.control_plane import ControlPlane\n"
        "with ControlPlane(Binaries(Path(sys.argv[1]))):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    cache = str(binaries.folder.parent)
    killed = subprocess.run(
        [sys.executable, "-c", script, cache], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False
    )
    assert killed.returncode == -9
    wait_until(lambda: str(tmp_path) not in run(["ps", "-e", "-o", "args"]), within=60, what="every process has ended")
