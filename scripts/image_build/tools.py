"""The container tools that can build our images: buildah, podman, docker. Command lines here; running elsewhere.

buildah and podman keep their layers inside our cache, so that removing that folder removes everything.
docker keeps its own.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HOW_TO_GET_ONE = (
    "no tool to build images with was found: buildah, podman, or docker with a running daemon.\n"
    "On Debian and Ubuntu: apt-get install -y buildah (it needs no daemon)."
)
DAEMON_SECONDS = 10
HIDE = 'mkdir -p /var/lib/containers && mount -t tmpfs tmpfs /var/lib/containers && exec "$@"'
PRIVATELY = ("unshare", "--mount", "sh", "-c", HIDE, "sh")
"""In a mount namespace of its own, what the tool leaves mounted when it is interrupted goes with the process, and so
does the one file that it writes outside the storage that it is given."""


class MissingToolError(Exception):
    """Nothing on this machine can build an image."""


@dataclass(frozen=True, slots=True)
class Build:
    """One image to be built."""

    reference: str
    context: Path
    containerfile: Path
    arguments: Mapping[str, str]
    secrets: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Tool:
    """A container tool: its name and the words that every one of its command lines begins with."""

    name: str
    prefix: tuple[str, ...]

    def build(self, build: Build) -> list[str]:
        """The command that builds; its layers stay, for the next build."""
        words = [*self.prefix, "build", "--file", str(build.containerfile), "--tag", build.reference]
        if self.name != "docker":
            # chroot needs no OCI runtime and works inside containers and sandboxes too
            words += ["--isolation", "chroot", "--layers"]
        for name, value in build.arguments.items():
            words += ["--build-arg", f"{name}={value}"]
        for secret, path in build.secrets.items():
            words += ["--secret", f"id={secret},src={path}"]
        return [*words, str(build.context)]

    def save(self, reference: str, archive: Path) -> list[str]:
        """The command that writes the image as an OCI archive; docker does so since its version 25."""
        if self.name == "buildah":
            # the quickest gzip: half the time of the default for a sixth more bytes
            quick = ("--compression-format", "gzip", "--compression-level", "1")
            return [*self.prefix, "push", "--quiet", *quick, reference, f"oci-archive:{archive}:{reference}"]
        if self.name == "podman":
            return [*self.prefix, "save", "--quiet", "--format", "oci-archive", "--output", str(archive), reference]
        return [*self.prefix, "save", "--output", str(archive), reference]

    def publish(self, archive: Path, reference: str, target: str) -> list[list[str]]:
        """The commands that push what an archive holds, whether or not the tool's storage still has it."""
        if self.name == "docker":
            load = [*self.prefix, "load", "--input", str(archive)]
            return [load, [*self.prefix, "tag", reference, target], [*self.prefix, "push", target]]
        take = [*self.prefix, "pull", "--quiet", f"oci-archive:{archive}"]
        return [take, [*self.prefix, "push", "--quiet", reference, f"docker://{target}"]]

    def identify(self, reference: str) -> list[str]:
        """The command that prints the id of an image that is in the tool's storage, and fails if it is not."""
        if self.name == "buildah":
            return [*self.prefix, "inspect", "--type", "image", "--format", "{{.FromImageID}}", reference]
        return [*self.prefix, "image", "inspect", "--format", "{{.Id}}", reference]

    def resolve(self, reference: str) -> list[str]:
        """The command that asks the registry for an image without fetching it."""
        return [*self.prefix, "manifest", "inspect", f"docker://{reference}" if self.name == "buildah" else reference]

    def pull(self, reference: str) -> list[str]:
        """The command that fetches an image."""
        return [*self.prefix, "pull", reference]

    def remove(self, reference: str) -> list[str]:
        """The command that drops an image from the tool's storage."""
        return [*self.prefix, "rmi", reference]


def choose_tool(
    storage: Path,
    *,
    which: Callable[[str], str | None] = shutil.which,
    answers: Callable[[list[str]], bool] | None = None,
) -> Tool:
    """The first tool that works here; raises MissingToolError, which says how to get one."""
    works = answers or _answers
    for name in ("buildah", "podman"):
        if which(name):
            return _with_storage(name, storage, which, works)
    if which("docker") and works(["docker", "info"]):
        return Tool("docker", ("docker",))
    raise MissingToolError(HOW_TO_GET_ONE)


def _with_storage(
    name: str, storage: Path, which: Callable[[str], str | None], works: Callable[[list[str]], bool]
) -> Tool:
    private = PRIVATELY if os.geteuid() == 0 and which("unshare") else ()
    prefix = (*private, name, "--root", f"{storage}/root", "--runroot", f"{storage}/run", "--storage-driver", "overlay")
    overlay = (*prefix, "--storage-opt", "overlay.skip_mount_home=true")
    if works([*overlay, "images"]):
        return Tool(name, overlay)
    # where overlays cannot be stacked: slower and larger
    plain = ("--root", f"{storage}/vfs-root", "--runroot", f"{storage}/vfs-run", "--storage-driver", "vfs")
    return Tool(name, (*private, name, *plain))


def _answers(argv: list[str]) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, timeout=DAEMON_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
