"""A cluster that someone else brought up: we use it, and leave it as it is."""

from collections.abc import Sequence
from pathlib import Path

from tests.cluster import images
from tests.cluster.binaries import CLIENTS, Binaries
from tests.cluster.errors import ClusterError, CommandError, UnsupportedError
from tests.cluster.processes import run
from tests.cluster.provider import Shape
from tests.cluster.settings import Say


class Existing:
    """Whatever `KUBECONFIG` points to."""

    def __init__(self, cache: Path, kubeconfig: Path | None, say: Say) -> None:
        self._binaries = Binaries(cache)
        self._kubeconfig = kubeconfig
        self._say = say

    def up(self, shape: Shape) -> None:
        """Only looks whether it answers; its shape is its owner's, and may be another than ours."""
        kubeconfig = self.kubeconfig()
        self._binaries.build(CLIENTS, say=self._say)
        kubectl = str(self._binaries.path("kubectl"))
        try:
            nodes = run([kubectl, "--kubeconfig", str(kubeconfig), "get", "nodes", "--output=name"]).split()
        except CommandError as error:
            raise ClusterError(
                f"the cluster of {kubeconfig} does not answer; check it with `kubectl get nodes`. {error}"
            ) from error
        self._say(
            f"the cluster of {kubeconfig} answers with {len(nodes)} nodes ({shape.nodes} are usual for the tests)"
        )

    def down(self) -> None:
        self._say("the cluster is not ours: it stays up")

    def load(self, archives: Sequence[Path]) -> None:
        names = sorted(image.name for archive in archives for image in images.in_archive(archive))
        raise UnsupportedError(
            "images cannot be loaded into a cluster that is not ours. Push these to a registry that it pulls from, "
            f"and give their new names to the chart's image values (`helm show values charts/whisper-operator`): "
            f"{', '.join(names)}"
        )

    def kubeconfig(self) -> Path:
        if self._kubeconfig is None or not self._kubeconfig.exists():
            raise ClusterError(
                f"CLUSTER=existing uses the cluster of KUBECONFIG, which is {self._kubeconfig or 'not set'}; "
                "set KUBECONFIG to the path of a kubeconfig file"
            )
        return self._kubeconfig
