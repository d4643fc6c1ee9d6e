"""What this machine lacks for the built-in cluster, and how to get it."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.cluster import cgroups
from tests.cluster.binaries import go_program
from tests.cluster.errors import ClusterError, CommandError, MissingError
from tests.cluster.processes import run

GO = (1, 26)
PYTHON = (3, 11)
PROGRAMS = {
    "gcc": "gcc libc6-dev",
    "git": "git",
    "ip": "iproute2",
    "make": "make",
    "mount": "mount",
    "nft": "nftables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "pkg-config": "pkg-config",
    "ps": "procps",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
"""Program → the Debian packages that bring it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is missing.

    Attributes:
        says: what is missing, and how to get it.
        packages: the Debian packages that would do, where some would.
    """

    says: str
    packages: tuple[str, ...] = ()


def findings() -> list[Finding]:
    """Everything that is missing; empty where the cluster can be built and brought up."""
    return [*_machine(), *_go(), *_packages(), *kernel()]


def install(missing: list[Finding]) -> None:
    """apt-get what the findings name."""
    packages = sorted({package for finding in missing for package in finding.packages})
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise MissingError(
            f"no apt-get here: install what gives {', '.join(packages)} on Debian by your system's own means"
        )
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], env=quiet)
    run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages], env=quiet)


def _machine() -> Iterator[Finding]:
    if platform.system() != "Linux":
        yield Finding(f"this is {platform.system()}: the built-in cluster needs Linux; use CLUSTER=kind with Docker")
    if os.geteuid() != 0:
        yield Finding("not root: namespaces, mounts and cgroups need it; run with sudo")
    if sys.version_info < PYTHON:
        yield Finding("Python is older than 3.11: apt-get install python3 on Debian 12 or Ubuntu 24.04, or newer")


def _go() -> Iterator[Finding]:
    get = "get it from https://go.dev/dl, unpack it to /usr/local and put /usr/local/go/bin on PATH"
    try:
        version = run([go_program(), "env", "GOVERSION"]).strip()
    except ClusterError:
        yield Finding(f"Go is not installed: {get}")
        return
    if go_version(version) < GO:
        yield Finding(f"Go is {version}, and 1.26 or newer is needed: {get}")


def go_version(text: str) -> tuple[int, ...]:
    """`go1.26.6` → (1, 26)."""
    found = re.search(r"go(\d+)\.(\d+)", text)
    return tuple(int(part) for part in found.groups()) if found else (0, 0)


def _packages() -> Iterator[Finding]:
    for program, packages in PROGRAMS.items():
        if not shutil.which(program):
            yield Finding(f"{program} is missing: apt-get install {packages}", tuple(packages.split()))
    try:
        run(["pkg-config", "--exists", "libseccomp"])
    except CommandError:
        yield Finding("libseccomp's headers are missing: apt-get install libseccomp-dev", ("libseccomp-dev",))
    if not find_spec("ensurepip"):
        yield Finding("Python cannot make environments: apt-get install python3-venv", ("python3-venv",))


def kernel() -> Iterator[Finding]:
    """What the kernel lacks, after trying to load it."""
    for module, sign in (("overlay", "/proc/filesystems"), ("br_netfilter", "/proc/sys/net/bridge")):
        if not _has(module, Path(sign)):
            yield Finding(
                f"the kernel has no {module}: `modprobe {module}` (kmod), on the host where this is a container"
            )
    try:
        cgroups.detect()
    except ClusterError as error:
        yield Finding(str(error))


def _has(module: str, sign: Path) -> bool:
    if sign.is_dir() or (sign.is_file() and module in sign.read_text()):
        return True
    try:
        run(["modprobe", module])
    except CommandError:
        return False
    return True
