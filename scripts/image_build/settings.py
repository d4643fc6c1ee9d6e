"""Everything that the environment decides about building images, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BASES = ("auto", "local", "public")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and what was asked for."""

    repository: Path
    """The checkout."""
    cache: Path
    """The folder for everything about images; nothing of ours is written outside it."""
    base: str
    """`public`: the published base image. `local`: one made with mmdebstrap. `auto`: public where it can be had."""
    environment: Mapping[str, str]
    """The caller's environment, from which a build is told about proxies, mirrors and certificates."""

    @property
    def contexts(self) -> Path:
        """Build contexts, there while a build runs."""
        return self.cache / "contexts"

    @property
    def logs(self) -> Path:
        """The full output of the last build of each image."""
        return self.cache / "logs"

    @property
    def storage(self) -> Path:
        """Where buildah and podman keep layers."""
        return self.cache / "storage"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from WHISPER_CACHE and BASE; raises ValueError when BASE is none of those known."""
    home = Path(environment.get("HOME", "/root"))
    root = Path(environment.get("WHISPER_CACHE") or home / ".cache" / "whisper-operator")
    base = environment.get("BASE") or "auto"
    if base not in BASES:
        raise ValueError(f"BASE={base} is not known: use one of {', '.join(BASES)}")
    return Settings(repository=REPOSITORY, cache=root / "images", base=base, environment=dict(environment))
