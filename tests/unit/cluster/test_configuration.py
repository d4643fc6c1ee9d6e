import base64
import json
from pathlib import Path

from tests.cluster import base, dns, kind, node_files
from tests.cluster.addresses import Addresses
from tests.cluster.credentials import Credentials, identities, kubeconfig
from tests.cluster.dns import Dns
from tests.cluster.node_files import Node
from tests.cluster.provider import Shape

PLAN = Addresses(0)
NODE = Node(2, PLAN, Path("/c/node2"), Path("/c/logs"), "wc0/node2", Path("/c/volumes"), node_grace=12)
KNOWN = Credentials(Path("/c/credentials"))


def test_a_node_has_its_own_cgroup_pods_and_identity() -> None:
    assert json.loads(node_files.kubelet(NODE, KNOWN))["cgroupRoot"] == "/wc0/node2"
    assert str(PLAN.pods(2)) in node_files.cni(NODE)
    assert "--kubeconfig=/c/credentials/node2.kubeconfig" in node_files.init_script(NODE, KNOWN, "/bin", Path("/p.tar"))


def test_the_kubelet_lets_in_only_who_the_cluster_knows() -> None:
    settings = json.loads(node_files.kubelet(NODE, KNOWN))
    assert settings["authentication"]["anonymous"] == {"enabled": False}
    assert "authorization" not in settings  # the default asks the API server


def test_with_kubeadms_grace_a_node_renews_its_lease_as_kubeadms_do() -> None:
    assert node_files.lease_seconds(50) == 40


def test_with_a_short_grace_a_node_may_miss_several_renewals() -> None:
    renewed_every = node_files.lease_seconds(12) / 4
    assert 12 / renewed_every >= 4


def test_dns_answers_are_kept_as_long_as_the_shape_says() -> None:
    file = dns.corefile(Dns(PLAN, ttl=30), Path("/k"), forwards=True)
    assert "cache 30" in file
    assert "ttl 30" in file
    assert "forward ." in file


def test_without_resolvers_names_of_the_world_are_not_forwarded() -> None:
    assert "forward" not in dns.corefile(Dns(PLAN, ttl=2), Path("/k"), forwards=False)


def test_there_is_one_default_storage_class() -> None:
    classes = [item for _, item in base.objects(PLAN) if item["kind"] == "StorageClass"]
    assert [c["metadata"]["annotations"] for c in classes] == [{"storageclass.kubernetes.io/is-default-class": "true"}]


def test_no_two_identities_share_a_file_or_a_user() -> None:
    everyone = identities()
    assert len({who.file for who in everyone}) == len({who.user for who in everyone}) == len(everyone)


def test_a_kubeconfig_holds_all_it_needs() -> None:
    made = json.loads(kubeconfig("https://198.18.31.1:6443", b"pem", "secret"))
    assert base64.b64decode(made["clusters"][0]["cluster"]["certificate-authority-data"]) == b"pem"
    assert made["users"][0]["user"] == {"token": "secret"}


def test_every_kind_node_sees_the_shared_folder() -> None:
    made = kind.config(Shape(nodes=2), Path("/v"))
    assert [node["role"] for node in made["nodes"]] == ["control-plane", "worker", "worker"]
    assert all(node["extraMounts"] == [{"hostPath": "/v", "containerPath": kind.SHARED}] for node in made["nodes"])
