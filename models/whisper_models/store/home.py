"""Where a user's store is, for every command that is not told."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT = "~/.local/share/whisper-models"


def own_store(environment: Mapping[str, str]) -> str:
    """The store of whoever runs the command, where $WHISPER_MODELS does not name another; `~` is not yet their home."""
    data = environment.get("XDG_DATA_HOME")
    return f"{data}/whisper-models" if data else DEFAULT
