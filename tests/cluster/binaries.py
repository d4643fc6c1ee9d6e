"""The cluster's programs, built from Go modules whose go.mod pins them: a version is one line there.

Built once: a module's folder below `$WHISPER_CACHE/bin` is named by what goes into it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import CommandError, MissingError
from tests.cluster.processes import LOG_TAIL
from tests.cluster.settings import Say

MODULES = Path(__file__).parent / "modules"
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE = (
    "kubelet",
    "kube-proxy",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "runc",
    "bridge",
    "host-local",
    "loopback",
)
CLIENTS = ("kubectl", "helm")
PROBE = "probe"
"""Not a part of the cluster: what the cluster's own tests run as a pod."""
ALL = (*CLIENTS, *CONTROL_PLANE, *NODE, "coredns")


@dataclass(frozen=True, slots=True)
class Module:
    """One go.mod and how its programs are built."""

    name: str
    main: str = ""
    """The program that the folder itself holds, where it has a main.go."""
    tags: str = ""
    cgo: bool = False
    stamped: bool = False
    """Kubernetes' programs learn their version from the linker."""

    @property
    def folder(self) -> Path:
        return MODULES / self.name

    def packages(self) -> dict[str, str]:
        """Program name → package."""
        return {self.main: "."} if self.main else tools(self.text())

    def text(self) -> str:
        return (self.folder / "go.mod").read_text()

    def digest(self) -> str:
        digest = hashlib.sha256(repr((self.tags, self.cgo, self.stamped)).encode())
        for source in sorted(self.folder.iterdir()):
            digest.update(source.read_bytes())
        return digest.hexdigest()[:12]

    def linker_flags(self) -> str:
        return f"-s -w {kubernetes_stamp(self.text())}" if self.stamped else "-s -w"


ORDER = (
    Module("kubernetes", stamped=True),
    Module("node"),
    # Without seccomp, runc refuses the RuntimeDefault profile that restricted Pod Security asks for.
    Module("runc", tags="seccomp", cgo=True),
    Module("dns", main="coredns"),
    Module("helm"),
    Module("probe", main=PROBE),
)


def tools(go_mod: str) -> dict[str, str]:
    """Program name → package, from the `tool` directives of a go.mod."""
    single = re.findall(r"^tool ([^(\s]\S*)$", go_mod, re.MULTILINE)
    blocks = re.findall(r"^tool \(\n(.*?)^\)", go_mod, re.MULTILINE | re.DOTALL)
    packages = [*single, *(line.strip() for block in blocks for line in block.splitlines() if line.strip())]
    # `…/etcd/server/v3`: the last part of a path may be a version, and then names nothing
    return {"etcd" if "etcd" in package else package.rsplit("/", 1)[-1]: package for package in packages}


def kubernetes_stamp(go_mod: str) -> str:
    """The linker flags that tell Kubernetes' programs the version that go.mod pins."""
    found = re.search(r"\bk8s\.io/kubernetes v((\d+)\.(\d+)\.\S+)", go_mod)
    if not found:
        raise MissingError(f"{MODULES}/kubernetes/go.mod requires no k8s.io/kubernetes: restore that line")
    version, major, minor = found.groups()
    variables = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in variables.items())


def go_program() -> str:
    """The `go` command: on PATH, or where its own installation guide puts it (sudo's PATH lacks that)."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not found:
        raise MissingError("Go is not installed; `python3 -m tests.cluster doctor` says how to get it")
    return found


class Binaries:
    """Where each program is, and building what is not there yet."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self.folder = cache / "bin"
        self._homes = {
            program: self.folder / f"{module.name}-{module.digest()}"
            for module in ORDER
            for program in module.packages()
        }

    def path(self, program: str) -> Path:
        return self._homes[program] / program

    def search_path(self, programs: Iterable[str] = ALL) -> str:
        """A PATH on which the programs come before the system's own."""
        homes = dict.fromkeys(str(self._homes[program]) for program in programs)
        return ":".join([*homes, "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])

    def missing(self, programs: Iterable[str] = ALL) -> list[str]:
        return [program for program in programs if not self.path(program).exists()]

    def build(self, programs: Sequence[str] = ALL, *, say: Say) -> None:
        """Build what is missing, telling which, how many and how long."""
        missing = self.missing(programs)
        if missing:
            say(
                f"building {len(missing)} programs of the cluster from Go modules (once; about 12 minutes on two cores)"
            )
        for number, program in enumerate(missing, 1):
            began = time.monotonic()
            say(f"  {number}/{len(missing)} {program} …")
            self._build(program)
            say(f"  {number}/{len(missing)} {program} built in {time.monotonic() - began:.0f} s")
        for program in programs:
            self._link(program)

    def _build(self, program: str) -> None:
        module = next(module for module in ORDER if program in module.packages())
        home = self._homes[program]
        home.mkdir(parents=True, exist_ok=True)
        unfinished = home / f".{program}.{os.getpid()}"
        command = [go_program(), "build", "-trimpath", "-modcacherw", "-tags", module.tags]
        command += ["-ldflags", module.linker_flags(), "-o", str(unfinished), module.packages()[program]]
        done = subprocess.run(
            command, cwd=module.folder, env=self._environment(module), capture_output=True, text=True, check=False
        )
        if done.returncode:
            unfinished.unlink(missing_ok=True)
            raise CommandError(
                f"building {program} from {module.folder} failed; Go needs its module proxy (GOPROXY) or a filled "
                f"{self._cache}/go-mod, and for runc gcc and libseccomp-dev. Go said:\n{done.stderr[-LOG_TAIL:]}"
            )
        unfinished.replace(self.path(program))

    def _environment(self, module: Module) -> dict[str, str]:
        return {
            **os.environ,
            "GOCACHE": str(self._cache / "go-build"),
            "GOMODCACHE": str(self._cache / "go-mod"),
            "GOFLAGS": "",
            "GOWORK": "off",
            "CGO_ENABLED": "1" if module.cgo else "0",
        }

    def _link(self, program: str) -> None:
        """`bin/PROGRAM` is the current one, so that people can put one folder on their PATH."""
        link = self.folder / program
        target = self.path(program).relative_to(self.folder)
        if link.is_symlink() and link.readlink() == target:
            return
        fresh = self.folder / f".{program}.{os.getpid()}"
        fresh.symlink_to(target)
        fresh.replace(link)
