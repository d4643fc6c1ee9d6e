"""The statistics port: health for the operator, metrics for Prometheus, draining for Kubernetes, nothing else."""

import asyncio
import time

import httpx
import pytest
from whisper_operator.plan.service.envoy.drain import KEY_HEADER
from whisper_operator.plan.types import TierHealth

from tests.contract.router.proxy import Start, until
from tests.contract.router.upstream import Upstream

Pods = tuple[Upstream, Upstream, Upstream]
OPEN = {KEY_HEADER: "sesame"}


async def test_the_operator_reads_each_runtimes_health(start: Start, pods: Pods) -> None:
    pods[1].ready = False
    async with start() as proxy:
        await until(lambda: proxy.health("npu") == TierHealth(healthy=1, total=2))
        assert await asyncio.to_thread(proxy.health, "cpu") == TierHealth(healthy=1, total=1)


async def test_prometheus_reads_metrics(start: Start, pods: Pods) -> None:
    async with start() as proxy, httpx.AsyncClient(base_url=proxy.stats, timeout=30) as client:
        metrics = (await client.get("/stats/prometheus")).text
    assert "# TYPE envoy_http_downstream_rq_total counter" in metrics


@pytest.mark.parametrize("path", ["/", "/stats", "/config_dump", "/quitquitquit", "/clusters/", "/drain_listeners"])
async def test_no_other_page_of_the_admin_interface_is_there(start: Start, pods: Pods, path: str) -> None:
    async with start() as proxy, httpx.AsyncClient(base_url=proxy.stats, timeout=30) as client:
        assert (await client.get(path)).status_code == 404
        assert (await client.post(path)).status_code == 404
        assert (await client.post("/ready")).status_code == 404


async def test_draining_without_the_key_is_refused(start: Start, pods: Pods) -> None:
    async with start() as proxy, httpx.AsyncClient(base_url=proxy.stats, timeout=30) as client:
        assert (await client.get("/drain")).status_code == 404
        assert (await client.get("/drain", headers={KEY_HEADER: "guess"})).status_code == 404


async def test_a_draining_router_finishes_what_it_began_and_sends_callers_elsewhere(start: Start, pods: Pods) -> None:
    held = asyncio.Event()
    pods[0].released = pods[1].released = held
    async with start() as proxy, proxy.client() as client, httpx.AsyncClient(timeout=60) as kubelet:
        long = asyncio.create_task(client.post("/transcribe", content=b"audio"))
        await until(lambda: bool(pods[0].seen or pods[1].seen))
        drained = asyncio.create_task(kubelet.get(f"{proxy.stats}/drain", headers=OPEN))
        pods[0].released = pods[1].released = pods[2].released
        await until(lambda: says_close(proxy.url))
        assert not drained.done()
        held.set()
        answer = await long
        assert answer.status_code == 200
        assert (await drained).status_code == 200


async def test_an_idle_router_is_drained_in_seconds(start: Start, pods: Pods) -> None:
    async with start() as proxy, httpx.AsyncClient(timeout=60) as kubelet:
        began = time.monotonic()
        assert (await kubelet.get(f"{proxy.stats}/drain", headers=OPEN)).status_code == 200
        assert 2.5 < time.monotonic() - began < 30


def says_close(url: str) -> bool:
    return bool(httpx.get(f"{url}/models", timeout=30).headers.get("connection") == "close")
