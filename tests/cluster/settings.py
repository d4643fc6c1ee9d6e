"""The one place that reads the environment."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError

Say = Callable[[str], None]
"""Where progress goes: the command line prints it, tests drop it."""

HIDDEN_IN_NODES = ("/run", "/var/lib", "/var/log", "/tmp/hostpath_pv")
"""Each node has its own of these (node_files.init_script), so the cache cannot be below one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    Attributes:
        cache: the one folder outside the checkout (`WHISPER_CACHE`).
        provider: builtin, kind or existing (`CLUSTER`).
        kubeconfig: the existing cluster's (`KUBECONFIG`), used by that provider only.
    """

    cache: Path
    provider: str
    kubeconfig: Path | None


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment, checked."""
    fallback = Path(environment.get("HOME") or "/root") / ".cache" / "whisper-operator"
    cache = Path(environment.get("WHISPER_CACHE") or fallback).absolute()
    for hidden in HIDDEN_IN_NODES:
        if cache.is_relative_to(hidden):
            raise ClusterError(
                f"WHISPER_CACHE={cache} is below {hidden}, which every node of the cluster replaces by its own; "
                "choose a folder elsewhere, for example below your home"
            )
    kubeconfig = environment.get("KUBECONFIG")
    return Settings(
        cache=cache,
        provider=environment.get("CLUSTER") or "builtin",
        kubeconfig=Path(kubeconfig).absolute() if kubeconfig else None,
    )
