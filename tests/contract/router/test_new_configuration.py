"""A changed configuration is a new router beside the old one, which drains and ends: nobody's request is lost by it."""

import asyncio
import random
from pathlib import Path

import httpx
from whisper_operator.plan.service.envoy.drain import KEY_HEADER

from tests.contract.router.crowd import crowd
from tests.contract.router.proxy import Proxy, until
from tests.contract.router.scene import ENOUGH, PATIENT, more, routed, two_pods


async def drained(proxy: Proxy) -> int:
    """What the kubelet does before it sends SIGTERM."""
    async with httpx.AsyncClient(timeout=120) as kubelet:
        return (await kubelet.get(f"{proxy.stats}/drain", headers={KEY_HEADER: "sesame"})).status_code


def says_close(url: str) -> bool:
    return bool(httpx.get(f"{url}/models", timeout=30).headers.get("connection") == "close")


async def test_fifty_callers_do_not_notice_it(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    with two_pods() as pods:
        async with (
            routed(before, pods, probe=PATIENT) as old,
            routed(after, pods, probe=PATIENT, max_upload_bytes=1024 * 1024) as new,
        ):
            # Whom the Service leads to. While the old one drains some nodes still know it.
            endpoints = [old.url]
            async with crowd(lambda: random.choice(endpoints)) as callers:
                await callers.hears(lambda it: len(it.calls) >= ENOUGH)
                endpoints.append(new.url)
                draining = asyncio.create_task(drained(old))
                await until(lambda: says_close(old.url), within=30)
                endpoints.remove(old.url)
                assert await draining == httpx.codes.OK
                old.process.terminate()
                assert await asyncio.to_thread(old.process.wait, 30) == 0
                await more(callers)
    assert not callers.lost()
    told = [call for call in callers.calls if call.answer.headers.get("connection") == "close"]
    assert {str(call.answer.url).startswith(old.url) for call in told} == {True}
    assert any(str(call.answer.url).startswith(new.url) for call in callers.calls)
