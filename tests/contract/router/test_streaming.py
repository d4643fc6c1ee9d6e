"""Server-sent events through the router arrive as they are sent, and a pod that goes before the first is no loss."""

import asyncio
import io
import json
from pathlib import Path

import httpx
import numpy as np
import soundfile

from tests.contract.router.pod import Pod
from tests.contract.router.scene import FIRST, PATIENT, SECOND, routed, two_pods
from tests.support.words import SAMPLE

PATH = "/v1/audio/transcriptions"
SLOW = 4


def a_minute() -> bytes:
    """More than one window of speech."""
    audio, rate = soundfile.read(SAMPLE, dtype="int16")
    file = io.BytesIO()
    soundfile.write(file, np.concatenate([audio, audio]), rate, format="WAV")
    return file.getvalue()


def asked(url: str) -> httpx.Request:
    files = {"file": ("minute.wav", a_minute())}
    return httpx.Request("POST", f"{url}{PATH}", files=files, data={"stream": "true"})


async def at_work(client: httpx.AsyncClient, pod: Pod) -> bool:
    health = await client.get(f"http://{pod.address}:{pod.port}/health")
    return bool(health.json()["queue"]["depth"])


async def test_an_event_arrives_while_the_rest_is_still_being_heard(tmp_path: Path) -> None:
    with two_pods(seconds=SLOW) as pods:
        async with routed(tmp_path, pods[:1], probe=PATIENT) as proxy, httpx.AsyncClient(timeout=60) as client:
            answer = await client.send(asked(proxy.url), stream=True)
            lines = answer.aiter_lines()
            first = json.loads((await anext(lines)).removeprefix("data: "))
            assert await at_work(client, pods[0])
            rest = [json.loads(line.removeprefix("data: ")) async for line in lines if line]
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert first == {"type": "transcript.text.delta", "delta": FIRST}
    assert rest[-1]["text"] == first["delta"] + "".join(event["delta"] for event in rest[:-1])


async def test_a_pod_that_is_killed_before_the_first_event_is_no_loss(tmp_path: Path) -> None:
    with two_pods(seconds=SLOW) as pods:
        async with routed(tmp_path, pods, probe=PATIENT) as proxy, httpx.AsyncClient(timeout=60) as client:
            asking = asyncio.create_task(client.send(asked(proxy.url)))
            busy: list[Pod] = []

            async def one_is_at_work() -> bool:
                busy[:] = [pod for pod in pods if await at_work(client, pod)]
                return bool(busy)

            while not await one_is_at_work():
                assert not asking.done()
            await asyncio.to_thread(busy[0].kill)
            answer = await asking
    assert (answer.status_code, answer.headers["x-whisper-attempts"]) == (200, "2")
    other = SECOND if busy[0].address == FIRST else FIRST
    assert json.loads(answer.text.rstrip().rpartition("data: ")[2])["text"].startswith(other)
