"""What contract tests of several parts share: the test hub over real weights, and a download from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from whisper_models.store import UnifiedModelManager

from tests.support.downloads import Fetch, fetching
from tests.support.hub import Hub, serve
from tests.support.weights import hf_folder


@pytest.fixture(scope="session")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of repositories with real weights: `openai/whisper-tiny.en`."""
    root = tmp_path_factory.mktemp("repositories")
    (root / "openai").mkdir()
    (root / "openai" / "whisper-tiny.en").symlink_to(hf_folder("tiny.en"))
    return root


@pytest.fixture
def hub(repositories: Path) -> Iterator[Hub]:
    """A test hub that behaves until it is told otherwise."""
    with serve(repositories) as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> UnifiedModelManager:
    return UnifiedModelManager(tmp_path / "models")


@pytest.fixture
def fetch(hub: Hub, store: UnifiedModelManager) -> Fetch:
    """Download tiny.en; keyword arguments change the source."""
    return fetching(hub, store)
