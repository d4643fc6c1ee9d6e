"""Under fifty callers at once a pod is killed, busy, drained or stopped, and nobody loses a request for it."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import httpx

from tests.contract.router.crowd import CALLERS, Crowd, clip, crowd
from tests.contract.router.proxy import until
from tests.contract.router.scene import FIRST, PATIENT, SECOND, calling, more, routed, two_pods

PATIENCE = 30.0
"""Seconds for what takes two on a machine that has nothing else to do."""


def answered_by(address: str, callers: Crowd, since: float = 0.0) -> bool:
    return any(address in call.answer.text for call in callers.since(since))


def tried_again(callers: Crowd) -> bool:
    return any(call.answer.headers["x-whisper-attempts"] != "1" for call in callers.calls)


async def test_one_is_killed(tmp_path: Path) -> None:
    with two_pods() as pods:
        async with routed(tmp_path, pods, probe=PATIENT) as proxy, calling(proxy) as callers:
            await asyncio.to_thread(pods[0].kill)
            await more(callers)
        assert not callers.lost()
        assert tried_again(callers)


async def test_one_is_busy(tmp_path: Path) -> None:
    with two_pods(room=2) as pods:
        async with routed(tmp_path, pods, probe=PATIENT) as proxy, calling(proxy) as callers:
            await more(callers)
        assert not callers.lost()
        assert tried_again(callers)
        assert answered_by(FIRST, callers)
        assert answered_by(SECOND, callers)


async def test_one_is_drained(tmp_path: Path) -> None:
    with two_pods() as pods:
        async with routed(tmp_path, pods, probe=PATIENT) as proxy, calling(proxy) as callers:
            assert await asyncio.to_thread(pods[0].drain) == 0
            ended = time.monotonic()
            await more(callers)
        assert not callers.lost()
        assert not answered_by(FIRST, callers, ended)


async def test_one_is_stopped(tmp_path: Path) -> None:
    """What was in flight there is answered when Kubernetes has ended the process; whoever comes later never waits."""
    with two_pods() as pods:
        async with routed(tmp_path, pods) as proxy, calling(proxy) as callers:
            stopped = time.monotonic()
            pods[0].stop()
            await until(lambda: proxy.health("cpu").healthy == 1, within=PATIENCE)
            noticed = time.monotonic()
            async with crowd(lambda: proxy.url) as newcomers:
                await more(newcomers)
            await asyncio.to_thread(pods[0].kill)
            killed = time.monotonic()
        assert noticed - stopped < PATIENCE
        assert not callers.lost() + newcomers.lost()
        assert not answered_by(FIRST, newcomers)
        assert max(call.seconds for call in newcomers.calls) < PATIENCE
        assert [call for call in callers.calls if call.began < noticed and call.ended > killed]


async def test_one_is_stopped_and_attempts_have_a_limit(tmp_path: Path) -> None:
    """Nobody ends the process, and nobody waits for it longer than an attempt may take."""
    limit = timedelta(seconds=8)
    with two_pods() as pods:
        async with routed(tmp_path, pods, attempt_timeout=limit) as proxy, calling(proxy) as callers:
            pods[0].stop()
            await until(lambda: proxy.health("cpu").healthy == 1)
            await more(callers)
        attempts = {call.answer.headers["x-whisper-attempts"] for call in callers.calls}
        waited = [call for call in callers.calls if call.answer.headers["x-whisper-attempts"] == "2"]
        assert not callers.lost()
        assert attempts == {"1", "2"}
        assert min(call.seconds for call in waited) > limit.total_seconds()
        assert max(call.seconds for call in waited) < limit.total_seconds() + PATIENCE


async def test_all_are_stopped_and_attempts_have_a_limit(tmp_path: Path) -> None:
    """The contract's 504 when the last attempt is over, before the probes have noticed anything."""
    with two_pods() as pods:
        limit = timedelta(seconds=0.4)
        async with routed(tmp_path, pods, attempt_timeout=limit, probe=PATIENT) as proxy, proxy.client() as client:
            async with asyncio.timeout(PATIENCE):
                while (await client.get("/models")).status_code != httpx.codes.OK:
                    pass  # even this may take longer than that where a machine has much else to do
            for pod in pods:
                pod.stop()
            began = time.monotonic()
            answers = await asyncio.gather(*(client.post("/transcribe", content=b"audio") for _ in range(CALLERS)))
            assert time.monotonic() - began < PATIENCE
        assert {answer.status_code for answer in answers} == {504}
        assert {answer.json()["error"]["code"] for answer in answers} == {"deadline_exceeded"}
        assert "0.4s for each attempt" in answers[0].json()["error"]["message"]


async def test_recordings_longer_than_an_attempt_throw_nobody_out(tmp_path: Path) -> None:
    """Envoy takes an attempt that ran out of time for a failure to connect; short requests must not suffer for it."""
    limit = timedelta(seconds=3)
    with two_pods(seconds=10) as pods:
        async with routed(tmp_path, pods, attempt_timeout=limit, probe=PATIENT) as proxy, proxy.client() as client:
            upload = {"file": ("clip.wav", clip())}
            long = [asyncio.create_task(client.post("/transcribe", files=upload)) for _ in range(6)]
            short = []
            while not all(one.done() for one in long):
                short.append((await client.get("/models")).status_code)
        assert {one.result().status_code for one in long} == {504}
        assert set(short) == {200}
