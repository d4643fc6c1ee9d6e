"""Two real pods, a router before them with the defaults that a service gets, and fifty callers."""

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

from whisper_operator.plan.service.envoy import Probe, RouterSettings, Tier

from tests.contract.router.crowd import CALLERS, Crowd, crowd
from tests.contract.router.pod import Pod, running_pod
from tests.contract.router.proxy import Proxy, free_ports, started

FIRST, SECOND = "127.0.0.2", "127.0.0.3"
ENOUGH = CALLERS
# Patient, where a test is not about noticing: a loaded machine answers late.
PATIENT = Probe(timeout=timedelta(seconds=30))


@contextlib.contextmanager
def two_pods(*, seconds: float = 2.0, **first: int) -> Iterator[tuple[Pod, Pod]]:
    """Both take so long for a transcription; the first is otherwise as said."""
    port = free_ports(1)[0]
    with (
        running_pod(FIRST, port, seconds=seconds, **first) as one,
        running_pod(SECOND, port, seconds=seconds) as other,
    ):
        yield one, other


@contextlib.asynccontextmanager
async def routed(folder: Path, pods: tuple[Pod, ...], **fields: object) -> AsyncIterator[Proxy]:
    """A router before these pods, with the defaults that a service gets."""
    chain = (Tier("cpu", tuple(pod.address for pod in pods), pods[0].port),)
    settings = RouterSettings(
        **{"name": "speech", "chain": chain, "drain_key": "sesame"} | fields  # type: ignore[arg-type]  # a test names the fields that it is about
    )
    async with started(settings, folder) as proxy:
        yield proxy


@contextlib.asynccontextmanager
async def calling(proxy: Proxy) -> AsyncIterator[Crowd]:
    """Fifty callers, of whom the first have been answered."""
    async with crowd(lambda: proxy.url) as callers:
        await callers.hears(lambda it: len(it.calls) >= ENOUGH)
        yield callers


async def more(callers: Crowd) -> None:
    """So many that began after now."""
    now = time.monotonic()
    await callers.hears(lambda it: len(it.since(now)) >= ENOUGH)
