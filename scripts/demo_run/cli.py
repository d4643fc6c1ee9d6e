"""The command line: `up` and `down`. Everything it says goes to stdout, a line for each thing that happens."""

import argparse
import sys

from scripts.commands import CommandError
from scripts.demo_run import chart, hub, preflight, story, transcript
from scripts.demo_run.cluster import DemoCluster, bring_up, deliver, with_tools
from scripts.demo_run.kubectl import namespace
from scripts.demo_run.settings import NAMESPACE, OPERATOR_NAMESPACE, QUICKSTART, Settings, read_settings
from scripts.demo_run.waiting import NotReadyError, Patience, circumstances, wait_until_ready
from scripts.image_build.base import BaseImageError
from scripts.image_build.building import build
from scripts.image_build.definitions import IMAGES
from scripts.image_build.settings import REPOSITORY
from scripts.image_build.settings import read_settings as read_image_settings
from scripts.image_build.tools import MissingToolError
from scripts.progress import Progress
from tests.cluster.choice import choose
from tests.cluster.errors import ClusterError
from tests.cluster.settings import read as read_cluster_settings

INTERRUPTED = 130
NO_REGISTRY = (
    "CLUSTER=existing: images cannot be loaded into a cluster that is not ours, so they must go through a registry.\n"
    "Log in with buildah, podman or docker, and name one that the cluster pulls from: REGISTRY=registry.example/you"
)
CRDS = "modelsets.whisper.livetranslate.io whisperservices.whisper.livetranslate.io"
GO_ON = (
    "docs/how-to/find-out-what-is-wrong.md says what each reason means. The operator tries on by itself;\n"
    "`make demo` takes up from here, and `make demo-down` takes it all away."
)
EXPECTED = (
    BaseImageError,
    ClusterError,
    CommandError,
    MissingToolError,
    NotReadyError,
    OSError,
    ValueError,
    preflight.MissingError,
)


def main(arguments: list[str]) -> int:
    """Run one command; the answer is the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/demo.py", description="From nothing to a transcript, and back.")
    parser.add_argument("command", choices=("up", "down"), help="up: make it all; down: take it all away")
    command = parser.parse_args(arguments).command
    progress = Progress(sys.stdout)
    try:
        (up if command == "up" else down)(progress)
    except EXPECTED as error:
        progress.say(f"the demo stopped: {error}")
        return 1
    except KeyboardInterrupt:
        progress.say("interrupted. `make demo` goes on from here; `make demo-down` takes it all away")
        return INTERRUPTED
    return 0


def up(progress: Progress) -> None:
    """From nothing to a transcript."""
    settings, clusters, images = read_settings(), read_cluster_settings(), read_image_settings()
    if clusters.provider == "existing" and not settings.registry:
        raise ValueError(NO_REGISTRY)
    preflight.prepare(clusters.provider, images, progress)
    here = bring_up(clusters, settings.nodes, progress)
    built = build(IMAGES, images, progress)
    references = dict(deliver(here.cluster, built, settings.registry, images, progress))
    _install(here, settings, references, progress)
    said = here.kubectl.run("apply", "-n", NAMESPACE, "-f", str(QUICKSTART)).strip()
    progress.say(f"kubectl apply -f {QUICKSTART.relative_to(REPOSITORY)}\n{said}")
    _wait(here, progress)
    answers = [transcript.ask(here.kubectl) for _ in range(2)]
    progress.say("done")
    print(f"\n{story.result(answers)}\n\n{story.next_steps(here.kubectl)}")


def down(progress: Progress) -> None:
    """Take away what `up` made; the cache stays."""
    clusters = read_cluster_settings()
    cluster = choose(clusters, progress.say)
    if clusters.provider == "existing":
        _leave(with_tools(cluster, clusters, progress), progress)
    cluster.down()
    progress.say(f"what is left is the cache, {clusters.cache}; `make clean` removes it")


def _install(here: DemoCluster, settings: Settings, references: dict[str, str], progress: Progress) -> None:
    if not here.kubectl.find("namespace", NAMESPACE):
        here.kubectl.apply(namespace(NAMESPACE))
    endpoint = hub.endpoint(settings, references, here.kubectl, progress)
    chart.install(here.helm, here.kubectl, chart.values(references, endpoint), progress)


def _wait(here: DemoCluster, progress: Progress) -> None:
    def look(kind: str, name: str) -> dict[str, object] | None:
        return here.kubectl.find(kind, name, "-n", NAMESPACE)

    try:
        wait_until_ready(look, progress, Patience())
    except NotReadyError as error:
        raise NotReadyError(f"{error}.\n{circumstances(here.kubectl)}\n{GO_ON}") from error


def _leave(here: DemoCluster, progress: Progress) -> None:
    """In someone else's cluster: our two namespaces and the release, nothing else."""
    here.kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s", timeout=130)
    chart.uninstall(here.helm, here.kubectl)
    here.kubectl.run("delete", "namespace", OPERATOR_NAMESPACE, "--ignore-not-found", "--timeout=120s", timeout=130)
    progress.say(
        f"removed: namespaces {NAMESPACE} and {OPERATOR_NAMESPACE}, and the Helm release.\n"
        f"The resource definitions stay, since everyone's resources go with them: kubectl delete crd {CRDS}"
    )
