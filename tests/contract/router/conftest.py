"""A router in front of pods that each test brings into the state that it is about."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from whisper_operator.plan.service.envoy import Probe, RouterSettings

from tests.contract.router.proxy import Proxy, Start, free_ports, started, tiers
from tests.contract.router.upstream import Upstream

# Often, so that a test need not wait for the default's two seconds; patient, so that a loaded machine does not fail it.
QUICK = Probe(interval=timedelta(milliseconds=200), timeout=timedelta(seconds=10), retries=1)


@pytest.fixture
async def pods() -> AsyncIterator[tuple[Upstream, ...]]:
    """Two pods of the first tier and one of the second, on addresses of their own."""
    port = free_ports(1)[0]
    async with contextlib.AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(Upstream("127.0.0.2", port, runtime="npu")),
            await stack.enter_async_context(Upstream("127.0.0.3", port, runtime="npu")),
            await stack.enter_async_context(Upstream("127.0.0.4", port, runtime="cpu")),
        )


@pytest.fixture
def start(pods: tuple[Upstream, ...], tmp_path: Path) -> Start:
    """Start a router over these pods: `async with start(max_upload_bytes=…) as proxy`."""

    @contextlib.asynccontextmanager
    async def begin(**fields: object) -> AsyncIterator[Proxy]:
        settings = RouterSettings(
            **{"name": "speech", "chain": tiers(pods), "drain_key": "sesame", "probe": QUICK} | fields  # type: ignore[arg-type]  # a test names the fields that it is about
        )
        async with started(settings, tmp_path) as proxy:
            yield proxy

    return begin
