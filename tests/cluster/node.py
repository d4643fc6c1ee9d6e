"""One node: a machine's worth of namespaces, started by its process 1 and ended by ending its cgroup."""

from tests.cluster import cgroups, network, node_files
from tests.cluster.binaries import Binaries
from tests.cluster.cgroups import Cgroups
from tests.cluster.credentials import Credentials
from tests.cluster.node_files import Node
from tests.cluster.pause import archive as pause_archive
from tests.cluster.processes import Daemons


def start(node: Node, groups: Cgroups, binaries: Binaries, known: Credentials) -> None:
    """Plug it in and switch it on; it reports Ready when it is."""
    for folder in ("cni", "disk/lib", "disk/log"):
        (node.folder / folder).mkdir(parents=True, exist_ok=True)
    search_path = binaries.search_path()
    files = {
        "cni/10-pods.conflist": node_files.cni(node),
        "containerd.toml": node_files.containerd(node, binaries.path("runc"), binaries.path("bridge").parent),
        "kubelet.json": node_files.kubelet(node, known),
        "kube-proxy.json": node_files.kube_proxy(node, known),
        "init": node_files.init_script(node, known, search_path, pause_archive(binaries.folder.parent / "images")),
    }
    for name, content in files.items():
        (node.folder / name).write_text(content)
    network.create_node(node.addresses, node.number)
    groups.create(node.cgroup)
    launch = Daemons(groups.members_file(node.cgroup), node.logs)
    # not `ip netns exec`: that mounts /sys anew, and the kubelet finds no cgroups there
    own_network = ["nsenter", f"--net=/run/netns/{network.node_namespace(node.addresses, node.number)}"]
    own_rest = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
    launch(f"{node.name}-init", [*own_network, *own_rest, "bash", str(node.folder / "init")])


def kill(node: Node, groups: Cgroups) -> None:
    """A power cut. The plug first: dying processes would say goodbye to their peers."""
    network.cut(node.addresses, node.number)
    cgroups.end(groups, node.cgroup)


def is_running(node: Node, groups: Cgroups) -> bool:
    return bool(cgroups.members(groups, node.cgroup))


def restart(node: Node, groups: Cgroups, binaries: Binaries, known: Credentials) -> None:
    """Power is back: what was on its disk is still there, what was in memory is not."""
    network.remove_node(node.addresses, node.number)
    start(node, groups, binaries, known)
