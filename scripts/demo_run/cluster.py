"""The demo's cluster: whichever CLUSTER names, its tools, and how our images get into it."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scripts.demo_run.kubectl import Kubectl
from scripts.image_build import publishing
from scripts.image_build.building import Built
from scripts.image_build.settings import Settings as ImageSettings
from scripts.progress import Progress
from tests.cluster.binaries import Binaries
from tests.cluster.choice import choose
from tests.cluster.provider import Cluster, Shape
from tests.cluster.settings import Settings as ClusterSettings


@dataclass(frozen=True, slots=True)
class DemoCluster:
    """A cluster that is up, with kubectl and helm for it."""

    cluster: Cluster
    kubectl: Kubectl
    helm: str


def bring_up(settings: ClusterSettings, nodes: int, progress: Progress) -> DemoCluster:
    """The cluster, up; raises ClusterError."""
    cluster = choose(settings, progress_of(progress))
    cluster.up(Shape(nodes=nodes))
    return with_tools(cluster, settings, progress)


def progress_of(progress: Progress) -> Callable[[str], None]:
    """The cluster's progress but for a line about each image on each node."""
    return lambda line: None if line.startswith(("loaded ", "every image")) else progress.say(line)


def with_tools(cluster: Cluster, settings: ClusterSettings, progress: Progress) -> DemoCluster:
    """The tools for a cluster that is up; raises ClusterError when it is not."""
    kubectl, helm = (_program(name, settings, progress) for name in ("kubectl", "helm"))
    return DemoCluster(cluster, Kubectl(kubectl, cluster.kubeconfig()), helm)


def deliver(
    cluster: Cluster, built: Sequence[Built], registry: str | None, images: ImageSettings, progress: Progress
) -> Mapping[str, str]:
    """Give the images to the cluster; answers each one's reference there by its name."""
    if registry:
        return publishing.publish(built, registry, images, progress)
    progress.say("images: making sure that every node has them")
    cluster.load([image.archive for image in built])
    return {image.name: image.reference for image in built}


def _program(name: str, settings: ClusterSettings, progress: Progress) -> str:
    # whoever brings a cluster usually has the tools that fit it; ours fit the built-in one
    if settings.provider != "builtin" and (found := shutil.which(name)):
        return found
    binaries = Binaries(settings.cache)
    binaries.build((name,), say=progress.say)
    linked = settings.cache / "bin" / name  # where a person finds it; the path proper names its version
    return str(linked if linked.exists() else binaries.path(name))
