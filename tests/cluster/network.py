"""The cluster's network: a switch and a machine's worth of network for each node, as network namespaces.

The switch has a namespace of its own, so that the host's firewall (Docker's, say) never sees traffic between nodes;
the host is one more machine on it. What pods send to the world is masqueraded by one table of ours.
"""

from pathlib import Path

from tests.cluster.addresses import MAX_NODES, Addresses, node_name
from tests.cluster.errors import CommandError
from tests.cluster.processes import run

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
WAS_OFF = "forwarding-was-off"


def node_namespace(plan: Addresses, number: int) -> str:
    return f"{plan.prefix}-{node_name(number)}"


def create_switch(plan: Addresses) -> None:
    switch = plan.prefix
    run(["ip", "netns", "add", switch])
    _ip(switch, "link add br0 type bridge", "link set br0 up")
    _ip(
        None,
        f"link add {switch} type veth peer name host netns {switch}",
        f"addr add {plan.gateway}/{plan.nodes.prefixlen} dev {switch}",
        f"link set {switch} up",
    )
    _ip(switch, "link set host master br0 up")


def open_to_the_world(plan: Addresses, notes: Path) -> None:
    """Pods reach what the host reaches, a model hub for example; the host's own rules still apply."""
    if FORWARDING.read_text().strip() == "0":
        (notes / WAS_OFF).touch()
        FORWARDING.write_text("1")
    rules = f"""
        table ip {plan.prefix} {{
            chain out {{
                type nat hook postrouting priority srcnat
                ip saddr {plan.network} ip daddr != {plan.network} masquerade
            }}
        }}"""
    run(["nft", "-f", "-"], stdin=rules)


def restore_forwarding(notes: Path) -> None:
    """Switch it off again where it was off before the first cluster."""
    if (notes / WAS_OFF).exists():
        FORWARDING.write_text("0")
        (notes / WAS_OFF).unlink()


def create_node(plan: Addresses, number: int) -> None:
    namespace, name, address = node_namespace(plan, number), node_name(number), plan.node(number)
    run(["ip", "netns", "add", namespace])
    _ip(plan.prefix, f"link add {name} type veth peer name eth0 netns {namespace}", f"link set {name} master br0 up")
    others = (other for other in range(1, MAX_NODES + 1) if other != number)
    _ip(
        namespace,
        "link set lo up",
        f"addr add {address}/{plan.nodes.prefixlen} dev eth0",
        "link set eth0 up",
        f"route add default via {plan.gateway}",
        *(f"route add {plan.pods(other)} via {plan.node(other)}" for other in others),
    )
    _ip(None, f"route replace {plan.pods(number)} via {address}")


def remove_node(plan: Addresses, number: int) -> None:
    run(["ip", "netns", "del", node_namespace(plan, number)])
    if node_name(number) in _links(plan.prefix):  # the kernel takes its time to remove a dead namespace's links
        _ip(plan.prefix, f"link del {node_name(number)}")


def cut(plan: Addresses, number: int) -> None:
    """Pull the node's plug out of the switch."""
    _ip(plan.prefix, f"link set {node_name(number)} down")


def mend(plan: Addresses, number: int) -> None:
    _ip(plan.prefix, f"link set {node_name(number)} up")


def remove_all(plan: Addresses) -> None:
    """Whatever there is of this slot, also what a crashed run left half-made."""
    if plan.prefix in _links(None):
        _ip(None, f"link del {plan.prefix}")
    for line in run(["ip", "netns", "list"]).splitlines():
        name = line.split()[0]
        if name == plan.prefix or name.startswith(f"{plan.prefix}-"):
            run(["ip", "netns", "del", name])
    try:
        run(["nft", "list", "table", "ip", plan.prefix])
    except CommandError:
        return
    run(["nft", "delete", "table", "ip", plan.prefix])


def forget_namespaces(folder: Path = Path("/run/netns")) -> None:
    """`ip netns add` mounts its folder on itself and leaves it so; undo that where no one has a namespace there."""
    if _is_mounted(folder) and not any(folder.iterdir()):
        run(["umount", str(folder)])
        folder.rmdir()


def _is_mounted(folder: Path) -> bool:
    """Asks the kernel: a folder mounted on itself has the device of its parent, and `Path.is_mount` says no."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return str(folder) in (line.split()[4] for line in mounts)


def _links(namespace: str | None) -> set[str]:
    inside = ["-n", namespace] if namespace else []
    lines = run(["ip", *inside, "-brief", "link"]).splitlines()
    return {line.split()[0].split("@")[0] for line in lines}


def _ip(namespace: str | None, *commands: str) -> None:
    inside = ["-n", namespace] if namespace else []
    run(["ip", *inside, "-batch", "-"], stdin="\n".join(commands) + "\n")
