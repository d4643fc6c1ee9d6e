"""What can be asked of any cluster, wherever it comes from, the same verbs for all of them.

The choice between them is in `choice`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Shape:
    """How a cluster is to be.

    Attributes:
        nodes: how many.
        dns_ttl: seconds for which a DNS answer may be kept; kubeadm's clusters: 30.
        node_grace: seconds without a sign of life until a node is NotReady; kubeadm's clusters: 50.
    """

    nodes: int = 2
    dns_ttl: int = 2
    node_grace: int = 12


class Cluster(Protocol):
    """A provider's cluster."""

    def up(self, shape: Shape) -> None:
        """Bring it up; at once where it is up in this shape already."""

    def down(self) -> None:
        """Take away all that `up` made."""

    def load(self, archives: Sequence[Path]) -> None:
        """Give the images of these OCI archives to every node."""

    def kubeconfig(self) -> Path:
        """The file with which kubectl reaches it; ClusterError where it is not up."""
