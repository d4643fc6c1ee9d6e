"""Everybody uploads at once: the proxy's memory stays below its limit, and who does not fit is told to come again."""

import asyncio
import re
from pathlib import Path

import httpx
from whisper_operator.plan.service.manifests.router_deployment import MEMORY_BESIDE_HEAP

from tests.contract.router.proxy import Proxy, Start, until
from tests.contract.router.upstream import Upstream

MEBIBYTE = 1024 * 1024
BODY = b"x" * 5 * MEBIBYTE
CALLERS = 50
Pods = tuple[Upstream, Upstream, Upstream]
Upload = asyncio.Task[httpx.Response | None]


async def upload(proxy: Proxy) -> httpx.Response | None:
    """The answer, or None where the connection was closed while its caller was still sending."""
    async with httpx.AsyncClient(base_url=proxy.url, timeout=120) as client:
        try:
            return await client.post("/transcribe", content=BODY)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            return None


def fifty_uploads(proxy: Proxy) -> list[Upload]:
    """Sent at once; what is let in waits in the pods, so that all of it is there at the same time."""
    return [asyncio.create_task(upload(proxy)) for _ in range(CALLERS)]


async def answered(uploads: list[Upload], pods: Pods) -> list[httpx.Response | None]:
    """The answers, now that the pods give them."""
    for pod in pods:
        pod.released.set()
    return await asyncio.gather(*uploads)


def peak_bytes(proxy: Proxy) -> int:
    """The most memory that the process has had."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{proxy.process.pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


async def test_fifty_uploads_of_five_mebibytes_fit_by_default(start: Start, pods: Pods) -> None:
    for pod in pods:
        pod.released.clear()
    async with start() as proxy:
        uploads = fifty_uploads(proxy)
        arrived = lambda: sum(len(pod.seen) for pod in pods) >= CALLERS or any(one.done() for one in uploads)  # noqa: E731 - a condition
        await until(arrived, within=600)
        answers = await answered(uploads, pods)
        assert peak_bytes(proxy) < 768 * MEBIBYTE + MEMORY_BESIDE_HEAP
    assert {answer and answer.status_code for answer in answers} == {200}


async def test_uploads_that_do_not_fit_are_refused_and_the_proxy_lives(start: Start, pods: Pods) -> None:
    """All are let in at once, and are four times what there is room for."""
    for pod in pods:
        pod.released.clear()
    heap = 64 * MEBIBYTE
    async with start(max_heap_bytes=heap) as proxy:
        uploads = fifty_uploads(proxy)
        await until(lambda: any(one.done() and one.result() is not None for one in uploads), within=600)
        answers = await answered(uploads, pods)
        assert peak_bytes(proxy) < heap + MEMORY_BESIDE_HEAP
        refused = [answer for answer in answers if answer is not None and answer.status_code != httpx.codes.OK]
        assert refused
        for answer in refused:
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "queue_full")
            assert int(answer.headers["retry-after"]) >= 1
        # What was held is given back, and the next one is served.
        async with asyncio.timeout(60):
            while (await upload(proxy) or refused[0]).status_code != httpx.codes.OK:
                pass
