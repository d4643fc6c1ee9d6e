"""Jobs through the router: one pod has a job, whichever a caller would meet, and uploads go through as they come."""

from pathlib import Path

import httpx

from tests.contract.router.crowd import clip
from tests.contract.router.scene import PATIENT, routed, two_pods

MEBIBYTE = 1 << 20
KEPT = 64 * MEBIBYTE
"""What the router keeps of other uploads, and refuses beyond."""


def long_clip() -> bytes:
    """A wav file of more than is kept, silent after its beginning."""
    speech = clip()
    head = bytearray(speech[:44])
    size = KEPT + 4 * MEBIBYTE
    head[4:8], head[40:44] = (size + 36).to_bytes(4, "little"), size.to_bytes(4, "little")
    return bytes(head) + speech[44:].ljust(size, b"\0")


async def test_a_job_is_found_ended_and_missed_through_the_router(tmp_path: Path) -> None:
    with two_pods() as pods:
        async with routed(tmp_path, pods, probe=PATIENT) as proxy, proxy.client() as client:
            taken = [await client.post("/batch/process", files={"file": clip()}) for _ in range(4)]
            assert [answer.status_code for answer in taken] == [202] * len(taken)
            for answer in taken * 3:
                found = await client.get(answer.headers["location"])
                assert (found.status_code, found.json()["id"]) == (200, answer.json()["id"])
            ended = await client.delete(taken[0].headers["location"])
            gone = await client.get(taken[0].headers["location"])
    assert ended.status_code == 200
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "job_not_found")
    assert int(gone.headers["x-whisper-attempts"]) > len(pods)


async def test_a_file_that_is_larger_than_what_the_router_keeps_goes_through(tmp_path: Path) -> None:
    audio = long_clip()
    with two_pods() as pods:
        async with (
            routed(tmp_path, pods, probe=PATIENT) as proxy,
            httpx.AsyncClient(base_url=proxy.url, timeout=60) as client,
        ):
            refused = await client.post("/transcribe", files={"file": audio})
            taken = await client.post("/batch/process", files={"file": audio})
            ended = await client.delete(taken.headers["location"])
    assert refused.status_code == 413
    assert (taken.status_code, ended.status_code) == (202, 200)
    assert taken.json()["audio_seconds"] > 2000
