"""CoreDNS on the host: one process for all nodes, found by pods through the Service that the kubelets name to them."""

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.addresses import Addresses
from tests.cluster.binaries import Binaries
from tests.cluster.control_plane import Plane
from tests.cluster.credentials import Credentials
from tests.cluster.processes import Launch

PORT = 5353
RESOLVERS = Path("/etc/resolv.conf")


@dataclass(frozen=True, slots=True)
class Dns:
    """How long an answer may be kept: 2 s flatters tests, kubeadm's clusters say 30 s."""

    addresses: Addresses
    ttl: int


def corefile(dns: Dns, kubeconfig: Path, *, forwards: bool) -> str:
    """The server's configuration. Pure."""
    forward = f"  forward . {RESOLVERS}\n" if forwards else ""
    return (
        f".:{PORT} {{\n"
        f"  bind {dns.addresses.gateway}\n"
        "  errors\n"
        f"  cache {dns.ttl}\n"
        "  kubernetes cluster.local in-addr.arpa {\n"
        f"    kubeconfig {kubeconfig}\n"
        f"    ttl {dns.ttl}\n"
        "  }\n"
        f"{forward}}}\n"
    )


def start(dns: Dns, plane: Plane, binaries: Binaries, known: Credentials, launch: Launch) -> None:
    """Names of the world go to the host's resolvers, where it has any."""
    forwards = RESOLVERS.exists() and "nameserver" in RESOLVERS.read_text()
    file = plane.directory / "Corefile"
    file.write_text(corefile(dns, known.kubeconfig("coredns"), forwards=forwards))
    launch("coredns", [str(binaries.path("coredns")), "-conf", str(file)])
