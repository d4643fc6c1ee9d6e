"""Headers: who served, in how many attempts, under which identifier; and none that lets a caller steer the proxy."""

from tests.contract.router.proxy import Start
from tests.contract.router.upstream import Upstream

Pods = tuple[Upstream, Upstream, Upstream]


async def test_the_callers_request_id_goes_through_unchanged(start: Start, pods: Pods) -> None:
    async with start() as proxy, proxy.client() as client:
        answer = await client.get("/models", headers={"x-request-id": "my own"})
    assert answer.headers["x-request-id"] == "my own"
    assert [headers["x-request-id"] for pod in pods for headers in pod.requests] == ["my own"]


async def test_a_request_without_an_id_gets_a_new_one(start: Start, pods: Pods) -> None:
    async with start() as proxy, proxy.client() as client:
        ids = {(await client.get("/models")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


async def test_envoys_own_headers_stay_inside(start: Start, pods: Pods) -> None:
    async with start() as proxy, proxy.client() as client:
        answer = await client.get("/models")
    assert not [name for name in answer.headers if name.startswith("x-envoy")]


async def test_a_caller_cannot_steer_the_proxy(start: Start, pods: Pods) -> None:
    for pod in pods:
        pod.delay = 0.5
    async with start() as proxy, proxy.client() as client:
        steering = {"x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-retry-on": "5xx", "x-forwarded-for": "10.0.0.1"}
        answer = await client.get("/models", headers=steering)
    assert answer.status_code == 200


async def test_the_log_has_a_line_of_json_without_the_query(start: Start, pods: Pods) -> None:
    async with start() as proxy:
        async with proxy.client() as client:
            await client.get("/models?token=secret", headers={"x-request-id": "logged"})
        proxy.process.terminate()
        proxy.process.wait(timeout=60)
        lines = [line for line in proxy.log.read_text().splitlines() if '"request_id":"logged"' in line]
    assert len(lines) == 1
    assert '"path":"/models"' in lines[0]
    assert "secret" not in proxy.log.read_text()
