"""The same suite against every engine."""

from collections.abc import Iterator
from typing import cast

import pytest
from whisper_runtime.fake import FakeEngine

from tests.contract.runtime.service import ENGINES, WITH_GENAI, Service, fake_engine, serving


@pytest.fixture(scope="package", params=ENGINES)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """A runtime that is ready, one for each engine; a test may name others."""
    with serving(*WITH_GENAI[request.param]()) as running:
        yield running


@pytest.fixture
def fake() -> Iterator[tuple[Service, FakeEngine]]:
    """A runtime of its own over the fake engine, for what only an engine under control can show."""
    engine, artifact = fake_engine()
    with serving(engine, artifact) as running:
        yield running, cast("FakeEngine", engine)
