"""Replicas that compete for a Lease while everything that can go wrong with it does, hours of it in seconds."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
from whisper_operator.cluster.errors import NotLeader, Unavailable
from whisper_operator.cluster.lease import LOOK_EVERY, PATIENCE, RENEW_EVERY, Election
from whisper_operator.plan.lease import DURATION, MARGIN, REMADE_WITHIN
from whisper_operator.plan.types import Manifest

from tests.support.leases import Leases
from tests.unit.operator import virtual_clock

PATH = "/apis/coordination.k8s.io/v1/namespaces/ns/leases/operator"
LONGEST_LIFE = 200
LATE = 1.2
"""Looks are up to a tenth later than planned, and take a moment."""


class Network:
    """Between one replica and the API server."""

    def __init__(self, leases: Leases, chance: random.Random | None = None, losses: float = 0) -> None:
        self._leases = leases
        self._losses = losses
        self._chance = chance
        self.cut = False
        self.asked: list[str] = []
        self._asking = asyncio.Condition()

    async def request(self, method: str, path: str, *, timeout: float, **params: Any) -> Manifest:  # noqa: ASYNC109  # as the real one's
        self.asked.append(method)
        async with self._asking:
            self._asking.notify_all()
        try:
            async with asyncio.timeout(timeout):
                await self._travel()
                found = await self._leases.request(method, path, **params)
                await self._travel()
                return found
        except TimeoutError:
            raise Unavailable(f"{method} {path}") from None

    async def asks(self, method: str) -> None:
        """Until it does."""
        async with self._asking:
            await self._asking.wait_for(lambda: method in self.asked)

    async def _travel(self) -> None:
        if self.cut or (self._chance and self._chance.random() < self._losses):
            await asyncio.Event().wait()
        await asyncio.sleep(self._chance.expovariate(5) if self._chance else 0.001)


def now() -> float:
    return 1000 + asyncio.get_running_loop().time()


def election(network: Network, name: str = "a") -> Election:
    return Election(network, "ns", "operator", name, clock=now)  # type: ignore[arg-type]  # the seam


async def leads(one: Election) -> "asyncio.Task[None]":
    """Until it leads; the task is its holding on."""
    await one.win()
    return asyncio.create_task(one.hold())


async def after(doing: Awaitable[object]) -> float:
    begun = now()
    await doing
    return now() - begun


async def ends(holding: "asyncio.Task[None]", why: str) -> None:
    with pytest.raises(NotLeader, match=why):
        await holding


Story = Callable[[Leases], Coroutine[Any, Any, None]]
STORIES: list[Story] = []


def story(told: Story) -> Story:
    STORIES.append(told)
    return told


@story
async def the_first_one_makes_the_lease_when_nobody_else_does(leases: Leases) -> None:
    assert REMADE_WITHIN <= await after(election(Network(leases)).win()) < REMADE_WITHIN + 0.1


@story
async def who_renews_goes_on_for_ever(leases: Leases) -> None:
    one, other = election(Network(leases)), election(Network(leases))
    holding, waiting = await leads(one), asyncio.create_task(other.win())
    for _ in range(1000):
        await asyncio.sleep(1)
        assert one.left() > DURATION - MARGIN - RENEW_EVERY * LATE
        assert other.standing_by
    assert [holding.done(), waiting.done()] == [False, False]


@story
async def what_is_given_back_is_taken_at_the_next_look(leases: Leases) -> None:
    one, other = election(Network(leases)), election(Network(leases))
    (await leads(one)).cancel()
    waiting = asyncio.create_task(other.win())
    await asyncio.sleep(5)
    await one.release()
    assert one.left() == 0
    assert await after(waiting) < LOOK_EVERY * LATE


@story
async def a_crash_is_taken_over_when_the_time_is_up(leases: Leases) -> None:
    one, other = election(Network(leases)), election(Network(leases))
    holding = await leads(one)
    waiting = asyncio.create_task(other.win())
    await asyncio.sleep(30)
    holding.cancel()
    assert DURATION - RENEW_EVERY * LATE <= await after(waiting) < DURATION + LOOK_EVERY * LATE


@story
async def who_is_cut_off_may_not_write_long_before_another_leads(leases: Leases) -> None:
    network = Network(leases)
    one, other = election(network), election(Network(leases))
    holding, waiting = await leads(one), asyncio.create_task(other.win())
    await asyncio.sleep(30)
    network.cut = True
    await ends(holding, "not renewed in time")
    assert one.left() == 0
    assert await after(waiting) > MARGIN - 0.1
    asked = len(network.asked)
    await one.release()
    assert len(network.asked) == asked


@story
async def an_api_server_that_is_gone_for_less_than_that_changes_nothing(leases: Leases) -> None:
    network = Network(leases)
    one = election(network)
    holding = await leads(one)
    for _ in range(20):
        await asyncio.sleep(5)
        network.cut = True
        await asyncio.sleep(DURATION - MARGIN - RENEW_EVERY - PATIENCE - LOOK_EVERY - 0.5)
        network.cut = False
    assert not holding.done()


@story
async def a_lease_deleted_by_hand_is_made_anew_by_who_leads(leases: Leases) -> None:
    one, other = election(Network(leases)), election(Network(leases))
    holding, waiting = await leads(one), asyncio.create_task(other.win())
    await asyncio.sleep(5)
    await leases.request("delete", PATH)
    await asyncio.sleep(60)
    assert (await leases.request("get", PATH))["spec"]["holderIdentity"] == one.identity
    assert [holding.done(), waiting.done()] == [False, False]


@story
async def a_lease_written_by_hand_ends_who_leads_and_is_taken_when_its_time_is_up(leases: Leases) -> None:
    one, other = election(Network(leases)), election(Network(leases))
    holding, waiting = await leads(one), asyncio.create_task(other.win())
    await asyncio.sleep(5)
    found = await leases.request("get", PATH)
    await leases.request("put", PATH, body=found | {"spec": {"holderIdentity": "somebody"}})
    await ends(holding, "held by somebody")
    assert await after(waiting) < DURATION + LOOK_EVERY * LATE
    assert other.left() > 0


@story
async def a_change_to_its_labels_changes_nothing(leases: Leases) -> None:
    one, other = election(Network(leases)), election(Network(leases))
    holding, waiting = await leads(one), asyncio.create_task(other.win())
    for _ in range(50):
        await asyncio.sleep(1)
        found = await leases.request("get", PATH)
        await leases.request("put", PATH, body=found | {"metadata": found["metadata"] | {"labels": {"a": "b"}}})
    assert [holding.done(), waiting.done()] == [False, False]
    assert (await leases.request("get", PATH))["metadata"]["labels"] == {"a": "b"}


@story
async def who_has_never_seen_the_lease_does_not_stand_by_yet(leases: Leases) -> None:
    network = Network(leases)
    network.cut = True
    one = election(network)
    winning = asyncio.create_task(one.win())
    await asyncio.sleep(600)
    assert [winning.done(), one.standing_by] == [False, False]
    network.cut = False
    await asyncio.sleep(PATIENCE + LOOK_EVERY * LATE)
    assert one.standing_by


@story
async def a_claim_whose_answer_was_lost_is_given_back_when_stopped(leases: Leases) -> None:
    network = Network(leases)
    one = election(network)
    winning = asyncio.create_task(one.win())
    await network.asks("put")
    await asyncio.sleep(0.0015)  # it has arrived, and its answer has not
    assert not winning.done()
    winning.cancel()
    await one.release()
    assert await after(election(Network(leases)).win()) < 0.1


@pytest.mark.parametrize("told", STORIES, ids=lambda told: told.__name__)
def test_story(told: Story) -> None:
    virtual_clock.run(told(Leases()))


async def life(one: Election, chance: random.Random, led: list[float]) -> None:
    """It wins, holds on until it is stopped, killed or deposed, and begins anew under another identity."""
    await one.win()
    led.append(now())
    holding, stopping = (
        asyncio.create_task(one.hold()),
        asyncio.create_task(asyncio.sleep(chance.uniform(1, LONGEST_LIFE))),
    )
    await asyncio.wait([holding, stopping], return_when=asyncio.FIRST_COMPLETED)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    if chance.random() < 0.5:
        await one.release()


async def breaks(network: Network, chance: random.Random, losses: float) -> None:
    """Cut now and then, for shorter or longer than a holder has."""
    while losses:
        await asyncio.sleep(chance.uniform(0, 60))
        network.cut = True
        await asyncio.sleep(chance.uniform(0, 2 * DURATION))
        network.cut = False


async def hour(chance: random.Random, losses: float, meddling: bool) -> list[float]:  # noqa: FBT001  # parametrized
    """When one began to lead."""
    leases = Leases()
    led: list[float] = []
    places: list[Election | None] = [None] * 3

    async def place(number: int) -> None:
        while True:
            network = Network(leases, chance, losses)
            places[number] = one = election(network, f"{number}")
            breaking = asyncio.create_task(breaks(network, chance, losses))
            await life(one, chance, led)
            breaking.cancel()
            places[number] = None  # whatever it was still allowed: it is gone

    async def meddle() -> None:
        while meddling:
            await asyncio.sleep(chance.expovariate(1 / 30))
            await asyncio.gather(leases.request("delete", PATH), return_exceptions=True)

    tasks = [asyncio.create_task(work) for work in (*map(place, range(3)), meddle())]
    for _ in range(14_400):
        await asyncio.sleep(0.25)
        assert sum(one is not None and one.left() > 0 for one in places) <= 1
    for task in tasks:
        task.cancel()
    return led


@pytest.mark.parametrize(("losses", "meddling"), [(0.1, False), (0, True)], ids=["requests lost", "lease deleted"])
def test_never_may_two_write_and_always_one_leads_again_soon(losses: float, meddling: bool) -> None:  # noqa: FBT001  # as above
    random.seed(1)  # how much the replicas' pauses differ
    led = virtual_clock.run(hour(random.Random(1), losses, meddling))
    assert len(led) > 20
    assert max(later - earlier for earlier, later in pairwise(led)) < LONGEST_LIFE + 3 * DURATION
