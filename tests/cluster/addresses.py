"""Which addresses and kernel names a cluster has, so that several can run side by side. Pure.

All from 198.18.0.0/15, the range reserved for tests: it meets no one's LAN. A slot is a cluster's share of it.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

SLOTS = 8
MAX_NODES = 16
_PODS = list(IPv4Network("198.18.0.0/16").subnets(new_prefix=19))
_SERVICES = list(IPv4Network("198.19.0.0/16").subnets(new_prefix=20))


@dataclass(frozen=True, slots=True)
class Addresses:
    """The plan of one slot; nodes are numbered from 1."""

    slot: int

    @property
    def prefix(self) -> str:
        """Begins the name of each link, network namespace, table and cgroup of this cluster (15 bytes are a link's)."""
        return f"wc{self.slot}"

    @property
    def network(self) -> IPv4Network:
        """Every node and pod."""
        return _PODS[self.slot]

    @property
    def nodes(self) -> IPv4Network:
        return list(self.network.subnets(new_prefix=24))[-1]

    @property
    def gateway(self) -> IPv4Address:
        """The host as the nodes see it: the API server and the DNS server listen here."""
        return self.nodes[1]

    @property
    def services(self) -> IPv4Network:
        return _SERVICES[self.slot]

    @property
    def dns(self) -> IPv4Address:
        return self.services[10]

    def node(self, number: int) -> IPv4Address:
        return self.nodes[10 + number]

    def pods(self, number: int) -> IPv4Network:
        """The pods of one node."""
        return list(self.network.subnets(new_prefix=24))[number]


def node_name(number: int) -> str:
    return f"node{number}"
