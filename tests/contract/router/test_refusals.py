"""What the router answers in its own name is the contract's JSON, with what a client needs to try again."""

import asyncio
from datetime import timedelta

import httpx
from whisper_operator.plan.service.envoy import Probe, Tier

from tests.contract.router.proxy import Start, until
from tests.contract.router.upstream import Upstream

MEBIBYTE = 1024 * 1024
Pods = tuple[Upstream, Upstream, Upstream]


def refusal(answer: httpx.Response, status: int, code: str) -> None:
    """The one shape that every refusal has."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-whisper-runtime"] == "router"
    body = answer.json()
    assert set(body) == {"error", "request_id", "service"}
    assert set(body["error"]) == {"message", "type", "code", "param"}
    assert (body["error"]["code"], body["service"]) == (code, "router")
    assert body["request_id"] == answer.headers["x-request-id"]


async def test_nothing_healthy_is_a_503_that_says_when_to_come_back(start: Start, pods: Pods) -> None:
    for pod in pods:
        pod.ready = False
    async with start() as proxy, proxy.client() as client:
        answer = await client.post("/transcribe", content=b"audio", headers={"x-request-id": 'mine "quoted"'})
    refusal(answer, 503, "no_healthy_runtime")
    assert answer.headers["retry-after"] == "1"
    assert int(answer.headers["retry-after-ms"]) == 200
    assert answer.json()["request_id"] == 'mine "quoted"'


async def test_names_without_addresses_are_a_503_too(start: Start, pods: Pods) -> None:
    chain = (Tier("cpu", ("speech-cpu.nowhere.invalid",), 5004),)
    async with start(chain=chain) as proxy, proxy.client() as client:
        refusal(await client.post("/transcribe", content=b"audio"), 503, "no_healthy_runtime")


async def test_pods_that_all_refuse_connections_are_a_503_too(start: Start, pods: Pods) -> None:
    async with start() as proxy, proxy.client() as client:
        await asyncio.gather(*(pod.stop() for pod in pods))
        refusal(await client.post("/transcribe", content=b"audio"), 503, "no_healthy_runtime")


async def test_an_upload_over_the_limit_is_a_413_that_reaches_no_pod(start: Start, pods: Pods) -> None:
    async with start(max_upload_bytes=MEBIBYTE) as proxy, proxy.client() as client:
        answer = await client.post("/transcribe", content=b"x" * (MEBIBYTE + 1))
        refusal(answer, 413, "audio_too_large")
        assert answer.headers["x-should-retry"] == "false"
        assert str(MEBIBYTE) in answer.json()["error"]["message"]
        fits = await client.post("/transcribe", content=b"x" * MEBIBYTE)
        assert fits.status_code == 200
    assert [size for pod in pods for size in pod.seen] == [MEBIBYTE]


async def test_an_upload_of_unknown_length_is_counted_as_it_comes(start: Start, pods: Pods) -> None:
    async def chunks() -> object:
        for _ in range(20):
            yield b"x" * (MEBIBYTE // 10)

    async with start(max_upload_bytes=MEBIBYTE) as proxy, proxy.client() as client:
        refusal(await client.post("/transcribe", content=chunks()), 413, "audio_too_large")  # type: ignore[arg-type]  # an async generator is a body
    assert not any(pod.seen for pod in pods)


async def test_an_upload_that_stalls_is_a_408_that_reaches_no_pod(start: Start, pods: Pods) -> None:
    async with start(request_timeout=timedelta(seconds=1)) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /transcribe HTTP/1.1\r\nhost: speech\r\ncontent-length: 100\r\n\r\nonly this")
        answer = (await asyncio.wait_for(reader.read(), timeout=120)).decode()
        writer.close()
    assert answer.startswith("HTTP/1.1 408 ")
    assert '"code":"upload_timeout"' in answer
    assert not any(pod.seen for pod in pods)


async def test_pods_that_never_answer_are_a_504_when_the_time_is_over(start: Start, pods: Pods) -> None:
    for pod in pods:
        pod.delay = 60.0
    async with start(request_timeout=timedelta(seconds=2)) as proxy, proxy.client() as client:
        refusal(await client.post("/transcribe", content=b"audio"), 504, "deadline_exceeded")


async def test_an_answer_may_take_nearly_all_the_time_that_a_request_has(start: Start, pods: Pods) -> None:
    for pod in pods:
        pod.delay = 9.0
    async with start(request_timeout=timedelta(seconds=13)) as proxy, proxy.client() as client:
        answer = await client.post("/transcribe", content=b"audio")
    assert (answer.status_code, answer.headers["x-whisper-attempts"]) == (200, "1")


async def test_a_pod_that_hangs_is_left_for_another_when_it_is_ended(start: Start, pods: Pods) -> None:
    """Kubernetes ends it: its liveness probe gets no answer either."""
    probe = Probe(interval=timedelta(milliseconds=200), timeout=timedelta(seconds=1), retries=2)
    pods[0].released.clear()
    async with start(request_timeout=timedelta(seconds=90), probe=probe) as proxy, proxy.client() as client:
        held = [asyncio.create_task(client.post("/transcribe", content=b"audio")) for _ in range(6)]
        await until(lambda: bool(pods[0].seen))
        pods[0].frozen = True
        await until(lambda: proxy.health("npu").healthy == 1)
        # No new request goes there.
        before = len(pods[0].seen)
        held += [asyncio.create_task(client.post("/transcribe", content=b"audio")) for _ in range(6)]
        await asyncio.wait(held[6:])
        assert len(pods[0].seen) == before > 0
        await pods[0].stop()
        answers = await asyncio.gather(*held)
    assert {answer.status_code for answer in answers} == {200}


async def test_new_requests_are_refused_before_memory_runs_out(start: Start, pods: Pods) -> None:
    body, held = b"x" * 2 * MEBIBYTE, []
    for pod in pods:
        pod.released.clear()
    async with start(max_heap_bytes=64 * MEBIBYTE) as proxy, proxy.client() as client:
        while not await asyncio.to_thread(refuses, proxy.stats):
            held.append(asyncio.create_task(client.post("/transcribe", content=body)))
            await until(lambda: len(held) == sum(len(pod.seen) for pod in pods) or refuses(proxy.stats))
        # Refused before Envoy gives it an identifier, so this one carries its caller's.
        answer = await client.post("/transcribe", content=b"audio", headers={"x-request-id": "mine"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "queue_full")
        assert answer.json()["request_id"] == "mine"
        assert int(answer.headers["retry-after"]) >= 1
        # Those who look after the router are answered all the while.
        assert (await asyncio.to_thread(httpx.get, f"{proxy.stats}/ready")).status_code == 200
        for pod in pods:
            pod.released.set()
        assert {answer.status_code for answer in await asyncio.gather(*held)} <= {200, 503}
        # What was held is given back, and the next one is served.
        await until(lambda: not refuses(proxy.stats))
        assert (await client.post("/transcribe", content=b"audio")).status_code == 200


def refuses(stats: str) -> bool:
    """Whether the proxy says that it takes no more requests now."""
    page = httpx.get(f"{stats}/stats/prometheus", timeout=60).text
    return "envoy_overload_envoy_overload_actions_stop_accepting_requests_active{} 1" in page.splitlines()


async def test_http2_is_not_spoken(start: Start, pods: Pods) -> None:
    """What bounds the memory of uploads sees HTTP/1 only."""
    async with start() as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        answer = (await asyncio.wait_for(reader.read(), timeout=120)).decode()
        writer.close()
    assert answer.startswith("HTTP/1.1 400 ")
    assert '"code":"invalid_request"' in answer
