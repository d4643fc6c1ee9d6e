"""Chunks of a session through the router: the pod that answered a chunk is the one that is asked for it again."""

import base64
from pathlib import Path
from typing import Any

import httpx

from tests.contract.router.crowd import clip
from tests.contract.router.proxy import Start
from tests.contract.router.scene import PATIENT, routed, two_pods
from tests.contract.router.upstream import Upstream

SESSIONS = [f"meeting-{number}" for number in range(24)]
"""So many that each of two pods has some: in all but one of eight million pairs of addresses."""


async def send(client: httpx.AsyncClient, session: str, chunk: str = "1") -> httpx.Response:
    body: dict[str, Any] = {"session_id": session, "chunk_id": chunk, "audio_data": base64.b64encode(clip()).decode()}
    answer = await client.post("/api/process-chunk", json=body, headers={"x-session-id": session})
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer


async def test_a_chunk_that_is_sent_again_through_any_router_gets_the_stored_answer(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    with two_pods(seconds=0) as pods:
        async with (
            routed(one, pods, probe=PATIENT) as first,
            routed(other, pods, probe=PATIENT) as second,
            first.client() as here,
            second.client() as there,
        ):
            heard = {session: await send(here, session) for session in SESSIONS}
            again = {session: await send(there, session) for session in SESSIONS}
            later = {session: await send(there, session, "2") for session in SESSIONS}
    assert {session: answer.content for session, answer in again.items()} == {
        session: answer.content for session, answer in heard.items()
    }
    assert {answer.headers.get("x-idempotent-replay") for answer in again.values()} == {"true"}
    texts = {session: answer.json()["text"] for session, answer in heard.items()}
    assert {session: answer.json()["text"] for session, answer in later.items()} == texts
    assert set(texts.values()) == {pod.address for pod in pods}


async def test_when_a_pod_is_gone_its_sessions_go_on_elsewhere_and_the_others_stay(tmp_path: Path) -> None:
    with two_pods(seconds=0) as (lost, left):
        async with routed(tmp_path, (lost, left), probe=PATIENT) as proxy, proxy.client() as client:
            for session in SESSIONS:
                await send(client, session)
            lost.kill()
            again = [await send(client, session) for session in SESSIONS]
    assert {answer.json()["text"] for answer in again} == {left.address}
    replayed = [answer for answer in again if "x-idempotent-replay" in answer.headers]
    assert 0 < len(replayed) < len(SESSIONS)


async def test_sessions_leave_busy_pods_as_other_requests_do(
    start: Start, pods: tuple[Upstream, Upstream, Upstream]
) -> None:
    first, second, spare = pods
    async with start() as proxy, proxy.client() as client:
        for busy, by in (((first,), "npu"), ((first, second), "cpu")):
            for pod in pods:
                pod.busy = pod in busy
            for session in SESSIONS:
                answer = await client.post("/api/process-chunk", content=b"{}", headers={"x-session-id": session})
                assert (answer.status_code, answer.headers["x-whisper-runtime"]) == (200, by)
    assert len(spare.seen) == len(SESSIONS)
