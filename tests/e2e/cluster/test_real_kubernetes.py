"""What the rest of the tests rely on: that the local cluster does what any Kubernetes cluster does."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.cluster.processes import run
from tests.cluster.provider import Shape
from tests.e2e.cluster import probes
from tests.e2e.cluster.conftest import SelfTest
from tests.e2e.cluster.probes import ask, url
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

NODES = ["node1", "node2"]


@pytest.fixture(scope="module")
def kubectl(selftest: SelfTest) -> Kubectl:
    """The namespace of two Ready probes."""
    within = selftest.kubectl.within(probes.NAMESPACE)
    selftest.kubectl.apply(probes.manifests(NODES))
    within.run("wait", "pod", "--all", "--for=condition=Ready", "--timeout=180s", timeout=200)
    return within


@pytest.fixture(scope="module")
def addresses(selftest: SelfTest) -> dict[str, str]:
    found: dict[str, str] = selftest.cluster.status()["addresses"]
    return found


@pytest.fixture
def node2(selftest: SelfTest, kubectl: Kubectl) -> Iterator[str]:
    """A node that the test may lose; it is back and Ready afterwards."""
    yield "node2"
    selftest.cluster.mend("node2")
    kubectl.wait_condition("node", "node2", "Ready", within=120)
    kubectl.run("wait", "pod", "--all", "--for=condition=Ready", "--timeout=180s", timeout=200)


@pytest.mark.parametrize("pod_is_on", NODES)
@pytest.mark.parametrize("asked", NODES)
def test_a_node_port_answers_on_every_node_wherever_the_pod_is(
    kubectl: Kubectl, addresses: dict[str, str], pod_is_on: str, asked: str
) -> None:
    # a fresh Service reaches kube-proxy's rules a moment after the API server has it
    seen = wait_until(lambda: _who(kubectl, f"on-{pod_is_on}", addresses[asked]), within=120)
    assert seen == f"probe-{pod_is_on}"


def _who(kubectl: Kubectl, service: str, address: str) -> str:
    return _answer(url(kubectl, service, address) + "/who")


def test_names_of_services_resolve_and_reach_pods_on_other_nodes(kubectl: Kubectl, addresses: dict[str, str]) -> None:
    for here, there in (NODES, NODES[::-1]):
        asked = quote(f"http://on-{there}.{probes.NAMESPACE}.svc.cluster.local/who")
        assert ask(f"{url(kubectl, f'on-{here}', addresses[here])}/fetch?url={asked}") == f"probe-{there}"


def test_a_pod_reaches_itself_through_its_service(kubectl: Kubectl, addresses: dict[str, str]) -> None:
    asked = quote("http://on-node1/who")
    assert ask(f"{url(kubectl, 'on-node1', addresses['node1'])}/fetch?url={asked}") == "probe-node1"


def test_pods_on_different_nodes_share_a_volume(kubectl: Kubectl, addresses: dict[str, str]) -> None:
    path = quote("/shared/said")
    ask(f"{url(kubectl, 'on-node1', addresses['node1'])}/file?path={path}", b"on node1")
    assert ask(f"{url(kubectl, 'on-node2', addresses['node2'])}/file?path={path}") == "on node1"


def test_logs_and_exec_reach_the_pod(kubectl: Kubectl) -> None:
    kubectl.run("logs", "probe-node1")
    with pytest.raises(
        AssertionError, match="no such file"
    ):  # the image has one file: that it was looked for is enough
        kubectl.run("exec", "probe-node1", "--", "/bin/sh")


def test_port_forward_reaches_the_pod(kubectl: Kubectl) -> None:
    with kubectl.forwarded("pod/probe-node2", 8080) as address:
        assert ask(f"{address}/who") == "probe-node2"


def test_a_claim_that_goes_takes_its_folder_with_it(selftest: SelfTest, kubectl: Kubectl) -> None:
    claim = {"metadata": {"name": "short"}, "apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Mi"}}}
    kubectl.apply([{**claim, "spec": spec}])
    kubectl.run("wait", "pvc/short", "--for=jsonpath={.status.phase}=Bound", "--timeout=90s")
    name = kubectl.get("pvc", "short")["spec"]["volumeName"]
    folder = kubectl.get("pv", name)["spec"]["hostPath"]["path"].rsplit("/", 1)[-1]
    kept = selftest.cluster.volumes / folder
    assert kept.is_dir()
    kubectl.run("delete", "pvc", "short")
    wait_until(lambda: not kept.exists(), within=30, what="the folder is gone")


def test_a_node_that_loses_power_is_soon_not_ready_and_comes_back(
    selftest: SelfTest, kubectl: Kubectl, addresses: dict[str, str], node2: str
) -> None:
    began = time.monotonic()
    selftest.cluster.kill(node2)
    kubectl.wait_condition("node", node2, "Ready", "Unknown", within=90)
    assert time.monotonic() - began < 40  # 15 where the machine has nothing else to do, 50 as kubeadm has it
    with pytest.raises(OSError, match=r"timed out|refused|unreachable|No route"):
        ask(f"{url(kubectl, 'on-node1', addresses[node2])}/who")
    assert _who(kubectl, "on-node1", addresses["node1"]) == "probe-node1"


def test_a_node_that_is_cut_off_runs_on_and_comes_back(selftest: SelfTest, kubectl: Kubectl, node2: str) -> None:
    restarts = _restarts(kubectl, "probe-node2")
    selftest.cluster.cut(node2)
    kubectl.wait_condition("node", node2, "Ready", "Unknown", within=90)
    selftest.cluster.mend(node2)
    kubectl.wait_condition("node", node2, "Ready", within=120)
    assert _restarts(kubectl, "probe-node2") == restarts


def _restarts(kubectl: Kubectl, pod: str) -> int:
    count: int = kubectl.get("pod", pod)["status"]["containerStatuses"][0]["restartCount"]
    return count


@pytest.fixture
def world(tmp_path: Path) -> Iterator[str]:
    """A web server that only this machine reaches, and that knows no way to the cluster: like anything beyond it."""
    # of the range that clusters use, where none of them is: it meets no real network
    name, here, there = "whisper-world", "198.19.255.1", "198.19.255.2"
    (tmp_path / "index.html").write_text("the world")
    run(["ip", "netns", "add", name])
    serve = ["ip", "netns", "exec", name, sys.executable, "-m", "http.server", "8000", "--directory", str(tmp_path)]
    try:
        batch = [f"link add {name} type veth peer name eth0 netns {name}", f"addr add {here}/30 dev {name}"]
        run(["ip", "-batch", "-"], stdin="\n".join([*batch, f"link set {name} up\n"]))
        run(["ip", "-n", name, "-batch", "-"], stdin=f"addr add {there}/30 dev eth0\nlink set eth0 up\n")
        with subprocess.Popen(serve, stderr=subprocess.DEVNULL) as server:
            yield f"http://{there}:8000/"
            server.kill()
    finally:
        run(["ip", "netns", "del", name])


def test_a_pod_reaches_what_the_host_reaches(kubectl: Kubectl, addresses: dict[str, str], world: str) -> None:
    asked = f"{url(kubectl, 'on-node1', addresses['node1'])}/fetch?url={quote(world)}"
    assert wait_until(lambda: _answer(asked), within=60) == "the world"


def _answer(address: str) -> str:
    try:
        return ask(address)
    except OSError as error:
        raise AssertionError(error) from error


def test_a_third_node_joins_the_running_cluster_and_gets_the_images(selftest: SelfTest, kubectl: Kubectl) -> None:
    uid = kubectl.get("namespace", probes.NAMESPACE)["metadata"]["uid"]
    selftest.cluster.up(Shape(nodes=3))
    kubectl.apply(probes.manifests(["node3"]))
    kubectl.run("wait", "pod/probe-node3", "--for=condition=Ready", "--timeout=180s", timeout=200)
    assert kubectl.get("namespace", probes.NAMESPACE)["metadata"]["uid"] == uid
