"""A hub that wants a token, and a small model on it."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub import Hub, serve

REPOSITORY = "o/small"
WEIGHTS = 3_000_000


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of repositories with one that is quickly fetched."""
    root = tmp_path_factory.mktemp("published")
    folder = root / REPOSITORY
    folder.mkdir(parents=True)
    for name in ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json"):
        (folder / name).write_text(json.dumps({"name": name}))
    (folder / "model.safetensors").write_bytes(secrets.token_bytes(WEIGHTS))
    return root


@pytest.fixture
def token() -> str:
    """What must be seen nowhere."""
    return f"hf_{secrets.token_hex(16)}"


@pytest.fixture
def guarded(published: Path, token: str) -> Iterator[Hub]:
    """It answers 401 to whoever does not show the token."""
    with serve(published, token=token) as hub:
        yield hub
