"""Loading images from OCI archives into a node's containerd, skipping what is there already."""

import json
import tarfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.binaries import Binaries
from tests.cluster.errors import ClusterError
from tests.cluster.processes import run
from tests.cluster.settings import Say

_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


@dataclass(frozen=True, slots=True)
class Image:
    """One named image and the digest that says whether it is the same one."""

    name: str
    digest: str


def in_archive(archive: Path) -> set[Image]:
    """The images that an OCI archive holds."""
    try:
        with tarfile.open(archive, "r:") as tar:
            index = tar.extractfile("index.json")
            entries = json.load(index)["manifests"] if index else []
    except FileNotFoundError as error:
        raise ClusterError(f"no image archive at {archive}; `python3 scripts/images.py build` makes them") from error
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise ClusterError(
            f"{archive} is not an OCI archive ({error}); write one with `buildah push IMAGE oci-archive:{archive}:NAME`"
        ) from error
    found = {Image(name, entry["digest"]) for entry in entries if (name := _name(entry.get("annotations", {})))}
    if not found:
        raise ClusterError(f"{archive} names no image; write it with `buildah push IMAGE oci-archive:{archive}:NAME`")
    return found


def _name(annotations: dict[str, str]) -> str:
    return next((annotations[key] for key in _NAMES if key in annotations), "")


def listed(table: str) -> set[Image]:
    """What `ctr images ls` prints: a header, then name, type and digest in columns. Pure."""
    rows = (line.split() for line in table.splitlines()[1:])
    return {Image(row[0], row[2]) for row in rows if row}


def load(sockets: Sequence[Path], archives: Sequence[Path], binaries: Binaries, say: Say) -> None:
    """Import each archive on each node that lacks one of its images; the nodes at once."""
    wanted = {archive: in_archive(archive) for archive in archives}

    def into(socket: Path) -> list[str]:
        command = [str(binaries.path("ctr")), "--address", str(socket), "--namespace", "k8s.io", "images"]
        there = listed(run([*command, "ls"]))
        missing = [archive for archive, images in wanted.items() if not images <= there]
        for archive in missing:
            run([*command, "import", str(archive)])
        return [f"{image.name} → {socket.parent.name}" for archive in missing for image in wanted[archive]]

    with ThreadPoolExecutor(max_workers=len(sockets) or 1) as pool:
        loaded = [line for lines in pool.map(into, sockets) for line in lines]
    for line in loaded:
        say(f"loaded {line}")
    if not loaded:
        say("every image is on every node already")
