"""The command in this process, over an empty store."""

from __future__ import annotations

from pathlib import Path

import pytest
from whisper_models import cli
from whisper_models.store import UnifiedModelManager

from tests.unit.models.asked import Run


@pytest.fixture
def store(tmp_path: Path) -> UnifiedModelManager:
    return UnifiedModelManager(tmp_path / "models")


@pytest.fixture
def run(store: UnifiedModelManager) -> Run:
    """One command in this process; wrong usage is code 2, as it is for a shell."""

    def call(command: str, *words: str) -> int:
        try:
            return cli.main([command, *words, "--root", str(store.root)])
        except SystemExit as wrong_usage:
            return int(wrong_usage.code or 0)

    return call
