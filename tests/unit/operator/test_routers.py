"""What the routers say is asked all the time; a service has its turn when one of them says something new."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from whisper_operator.cluster.cache import Cache
from whisper_operator.cluster.pod_http import PodHttp
from whisper_operator.cluster.routers import APART, EVERY, Routers
from whisper_operator.plan.types import Key, RouterHealth, TierHealth

from tests.unit.operator import virtual_clock

SPEECH = Key("WhisperService", "demo", "speech")
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def page(*, healthy: bool) -> bytes:
    health = {"eds_health_status": "HEALTHY", "failed_active_health_check": not healthy}
    host = {"locality": {"zone": "npu"}, "health_status": health}
    return json.dumps({"cluster_statuses": [{"name": "chain", "host_statuses": [host]}]}).encode()


class Pods(PodHttp):
    """Answers by address; an address without a page hangs as long as a real question may take."""

    def __init__(self) -> None:
        self.said: dict[str, bytes] = {}
        self.slow: dict[str, list[tuple[float, bytes]]] = {}
        self.broken: str | None = None
        self.asked: list[str] = []

    async def page(self, url: str) -> bytes | None:
        address = url.removeprefix("http://").partition(":")[0]
        self.asked.append(address)
        if address == self.broken:
            raise RuntimeError("Session is closed")
        if self.slow.get(address):
            seconds, said = self.slow[address].pop(0)
            await asyncio.sleep(seconds)
            return said
        if address not in self.said:
            await asyncio.sleep(2)
        return self.said.get(address)


class World:
    """Two services and their router pods, of which the names begin addresses."""

    def __init__(self) -> None:
        self.cache, self.pods, self.turns = Cache(), Pods(), list[Key]()
        self.routers = Routers(self.cache, self.pods, self.turns.append)
        self._version = 0

    def service(self, key: Key = SPEECH) -> None:
        self.cache.put({"kind": key.kind, "metadata": {"name": key.name, "namespace": key.namespace}})

    def router(self, address: str, key: Key = SPEECH, *, ready: bool = True) -> None:
        self._version += 1
        labels = {"app.kubernetes.io/component": "router", "whisper.livetranslate.io/service": key.name}
        status = READY | {"podIP": address} if ready else {"phase": "Running", "podIP": address}
        meta = {"name": f"router-{address}", "namespace": "demo", "labels": labels, "uid": address}
        self.cache.put({"kind": "Pod", "metadata": meta | {"resourceVersion": str(self._version)}, "status": status})

    def seconds(self, act: Callable[[], Awaitable[None]]) -> None:
        """The block, while the routers are asked."""

        async def both() -> None:
            asking = asyncio.create_task(self.routers.run())
            await act()
            asking.cancel()

        virtual_clock.run(both())


def world_of(*addresses: str) -> World:
    """One service, whose routers find its pod healthy."""
    world = World()
    world.service()
    for address in addresses:
        world.router(address)
        world.pods.said[address] = page(healthy=True)
    return world


def seen(healthy: int) -> dict[str, TierHealth]:
    return {"npu": TierHealth(healthy, 1)}


def test_the_first_turn_asks_and_later_ones_use_what_was_said_last() -> None:
    world = world_of("a")

    async def turns() -> None:
        assert await world.routers.health(SPEECH) == RouterHealth({"router-a": seen(1)})
        assert await world.routers.health(SPEECH) == RouterHealth({"router-a": seen(1)})

    virtual_clock.run(turns())
    assert world.pods.asked == ["a"]


def test_a_service_without_a_ready_router_has_nobody_to_ask() -> None:
    world = World()
    world.service()
    world.router("a", ready=False)

    async def turn() -> None:
        assert await world.routers.health(SPEECH) is None

    virtual_clock.run(turn())
    assert world.pods.asked == []


def test_what_is_new_is_told_soon_and_once_and_what_is_not_new_never() -> None:
    world = world_of("a")

    async def act() -> None:
        await world.routers.health(SPEECH)
        await asyncio.sleep(10)
        assert world.turns == []
        world.pods.said["a"] = page(healthy=False)
        await asyncio.sleep(EVERY + 2 * APART)
        assert world.turns == [SPEECH]
        assert await world.routers.health(SPEECH) == RouterHealth({"router-a": seen(0)})
        await asyncio.sleep(10)
        assert world.turns == [SPEECH]

    world.seconds(act)


def test_a_router_that_is_lost_delays_no_news_of_the_others_and_is_told_as_silent() -> None:
    world = world_of("a", "b")

    async def act() -> None:
        await world.routers.health(SPEECH)
        del world.pods.said["a"]
        world.pods.said["b"] = page(healthy=False)
        await asyncio.sleep(EVERY + 4 * APART)
        assert world.turns == [SPEECH]
        await asyncio.sleep(2)
        assert await world.routers.health(SPEECH) == RouterHealth({"router-b": seen(0)})
        await asyncio.sleep(2 + EVERY)
        assert await world.routers.health(SPEECH) == RouterHealth({"router-a": None, "router-b": seen(0)})
        assert world.turns == [SPEECH] * 3

    world.seconds(act)


def test_one_question_without_an_answer_makes_no_router_silent() -> None:
    world = world_of("a")

    async def act() -> None:
        await world.routers.health(SPEECH)
        del world.pods.said["a"]
        await asyncio.sleep(EVERY + 2 + 4 * APART)
        assert await world.routers.health(SPEECH) == RouterHealth({"router-a": seen(1)})
        world.pods.said["a"] = page(healthy=True)
        await asyncio.sleep(4)
        assert await world.routers.health(SPEECH) == RouterHealth({"router-a": seen(1)})

    world.seconds(act)


def test_the_more_routers_there_are_the_less_often_each_is_asked() -> None:
    world = World()
    for number in range(1000):
        key = Key("WhisperService", "demo", f"speech-{number}")
        world.service(key)
        world.router(str(number), key)
        world.pods.said[str(number)] = page(healthy=True)

    async def act() -> None:
        await asyncio.sleep(60)

    world.seconds(act)
    assert len(world.pods.asked) <= 60 / APART + 1
    assert {world.pods.asked.count(str(number)) for number in (0, 500, 999)} <= {11, 12, 13}


def test_what_a_router_said_that_is_gone_is_forgotten() -> None:
    world = world_of("a")

    async def act() -> None:
        await world.routers.health(SPEECH)
        world.cache.remove(("Pod", "demo", "router-a"))
        await asyncio.sleep(2 * EVERY)
        world.router("a")
        world.pods.said["a"] = page(healthy=False)
        assert await world.routers.health(SPEECH) == RouterHealth({"router-a": seen(0)})

    world.seconds(act)


def test_an_answer_that_nobody_expected_ends_no_questions() -> None:
    world = world_of("a", "b")

    async def act() -> None:
        await world.routers.health(SPEECH)
        world.pods.said["a"] = b"[" * 100_000
        world.pods.broken = "a"
        world.pods.said["b"] = page(healthy=False)
        await asyncio.sleep(EVERY + 4 * APART)
        assert world.turns == [SPEECH]

    world.seconds(act)


def test_news_that_comes_while_a_turn_asks_for_the_first_time_is_told() -> None:
    world = World()
    world.service()
    world.router("a")
    world.pods.said["a"] = page(healthy=False)
    world.pods.slow["a"] = [(1.0, page(healthy=False)), (0.1, page(healthy=True))]

    async def act() -> None:
        await asyncio.sleep(APART)
        assert await world.routers.health(SPEECH) == RouterHealth({"router-a": seen(1)})
        await asyncio.sleep(1)
        assert world.turns == [SPEECH], "the question that was asked first was answered last"

    world.seconds(act)
