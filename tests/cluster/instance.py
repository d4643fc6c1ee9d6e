"""One built-in cluster's folder: what is kept where, and what shape it was brought up in."""

import dataclasses
import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import credentials
from tests.cluster.addresses import Addresses
from tests.cluster.credentials import Credentials
from tests.cluster.node_files import Node
from tests.cluster.provider import Shape


@dataclass(frozen=True, slots=True)
class Instance:
    """The folder `$WHISPER_CACHE/cluster/NAME`."""

    folder: Path

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def volumes(self) -> Path:
        return self.folder / "volumes"

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.folder / "credentials")

    @property
    def kubeconfig(self) -> Path:
        return self.credentials.kubeconfig(credentials.ADMIN)

    @property
    def _shape(self) -> Path:
        return self.folder / "shape.json"

    @property
    def _images(self) -> Path:
        return self.folder / "images.json"

    def node(self, number: int, addresses: Addresses, shape: Shape) -> Node:
        folder, cgroup = self.folder / f"node{number}", f"{addresses.prefix}/node{number}"
        return Node(number, addresses, folder, self.logs, cgroup, self.volumes, shape.node_grace)

    def shape(self) -> Shape | None:
        """The shape it was brought up in; None where it never got that far."""
        return Shape(**json.loads(self._shape.read_text())) if self._shape.exists() else None

    def keep_shape(self, shape: Shape) -> None:
        """Written last: without it there is no cluster."""
        self._shape.write_text(json.dumps(dataclasses.asdict(shape)))

    def images(self) -> list[Path]:
        """The archives that were loaded and are still there: nodes that come later get them too."""
        kept = json.loads(self._images.read_text()) if self._images.exists() else []
        return [Path(archive) for archive in kept if Path(archive).exists()]

    def keep_images(self, archives: list[Path]) -> None:
        self._images.write_text(json.dumps(sorted({str(archive) for archive in archives})))

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """One change at a time: a second `up` waits for the first, and then finds its cluster."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with (self.folder.parent / f".{self.folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
