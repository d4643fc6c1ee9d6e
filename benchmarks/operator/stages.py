"""The stages of the measurement, one after the other: create, restart, rest, change."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from whisper_operator.cluster.kinds import CUSTOM, MODELSET, OWNED, SELECTOR, WHISPERSERVICE, kind_of
from whisper_operator.plan.ownership import MANAGER

from benchmarks.operator.api import MERGE, Api, Object, each, until
from benchmarks.operator.kubelet import end_jobs
from benchmarks.operator.operator_counts import Counts, counts, rested
from benchmarks.operator.processes import Clock
from benchmarks.operator.world import STORAGE_CLASS, World
from tests.integration.operator_process import OperatorProcess

ROOT = Path(__file__).parents[2]
MADE = ("Deployment", "Deployment", "Service", "Service", "Service", "ConfigMap", "PodDisruptionBudget")
"""What the operator makes for each service."""
QUIET = 5.0
CHANGED = "CHANGE"
"""The environment variable that a change sets."""


@dataclass(slots=True)
class Stage:
    """What one stage took.

    Attributes:
        cpu: seconds of processor time by process.
    """

    seconds: float
    cpu: dict[str, float]
    counts: Counts
    latencies: list[float] = field(default_factory=list)


async def prepare(api: Api, world: World) -> None:
    """Everything but the services; the operator runs already."""
    for crd in sorted((ROOT / "crds").glob("*.yaml")):
        await api.apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", yaml.safe_load(crd.read_text()))
    await until(lambda: _served(api), within=30, what="the API server serves our kinds")
    await api.apply("/apis/storage.k8s.io/v1/storageclasses", STORAGE_CLASS)
    for one in world.namespace_objects():
        await api.apply("/api/v1/namespaces", one)
    for one in world.volumes():
        await api.apply("/api/v1/persistentvolumes", one)


async def _served(api: Api) -> bool:
    try:
        for kind in CUSTOM:
            await api.items(kind.path())
    except RuntimeError:
        return False
    return True


async def make_sets(api: Api, world: World) -> None:
    """All model sets are ready: their Jobs were made and ended well."""
    async with _beside(end_jobs(api)):
        await each(lambda one: api.send("POST", *one), world.model_sets())

        async def ready() -> bool:
            sets = await api.items(MODELSET.path())
            done = [one for one in sets if one.get("status", {}).get("ready") == "2/2"]
            return len(done) == world.sets

        await until(ready, within=900, what="all model sets are ready", every=2)


async def create(api: Api, world: World, operator: OperatorProcess, clock: Clock) -> Stage:
    """All services at once, until each has all its objects and a status about its generation."""
    before, begun = await counts(operator), time.monotonic()
    async with _beside(each(lambda one: api.send("POST", *one), world.whisper_services())):
        last = await _all_current(api, world)
    cpu, after = clock.passed(), await counts(operator)
    await _all_there(api, world)
    return Stage(last - begun, cpu, after.since(before))


async def _all_current(api: Api, world: World) -> float:
    current: set[str] = set()
    async for seen, service in api.watch(WHISPERSERVICE.path()):
        if is_current(service):
            current.add(service["metadata"]["name"])
        if len(current) == world.services:
            return seen
    raise RuntimeError("the watch ended")


def is_current(service: Object) -> bool:
    """The status is about this generation, and was written after the runtime's Deployment."""
    status = service.get("status", {})
    with_model = any(one.get("model") for one in status.get("runtimes", []))
    return bool(status.get("observedGeneration") == service["metadata"]["generation"]) and with_model


async def _all_there(api: Api, world: World) -> None:
    wanted = {(kind.api_version, kind.kind): MADE.count(kind.kind) * world.services for kind in OWNED}
    for named, number in wanted.items():
        found = len(
            await api.items(kind_of(*named).path(), labelSelector=f"{SELECTOR},whisper.livetranslate.io/service")
        )
        if number and found != number:
            raise RuntimeError(f"{found} of {number} {named[1]} are there")


async def settle(operator: OperatorProcess, clock: Clock) -> Stage:
    """The rest of the cluster follows: its controllers make pods and write statuses, which the operator looks at."""
    before, begun = await counts(operator), time.monotonic()
    last = await rested(operator, 20, within=1800)
    return Stage(last - begun, clock.passed(), (await counts(operator)).since(before))


async def restart(operator: OperatorProcess, begun: float, world: World, clock: Clock) -> Stage:
    """Started anew: everything is listed and looked at once."""
    last = await rested(operator, QUIET, within=300, at_least=world.services + world.sets)
    return Stage(last - begun, clock.passed(), await counts(operator))


async def rest(operator: OperatorProcess, clock: Clock, seconds: float) -> Stage:
    """Nobody does anything."""
    before, begun = await counts(operator), time.monotonic()
    await asyncio.sleep(seconds)
    return Stage(time.monotonic() - begun, clock.passed(), (await counts(operator)).since(before))


async def written(api: Api) -> dict[str, list[Object]]:
    """What the API server notes of the operator's writes, and when each was, for everything that it may write.

    Not the resourceVersions: controllers write to the same objects, such as the one that counts for a budget.
    """
    return {
        one["metadata"]["uid"]: by_operator(one)
        for kind in (*CUSTOM, *OWNED)
        for one in await api.items(kind.path(), **({} if kind in CUSTOM else {"labelSelector": SELECTOR}))
    }


def by_operator(manifest: Object) -> list[Object]:
    """The fields that the operator manages, and when it last changed one of them."""
    return [one for one in manifest["metadata"].get("managedFields", ()) if one["manager"] == MANAGER]


async def change(
    api: Api, world: World, operator: OperatorProcess, clock: Clock, *, a_second: float, seconds: float
) -> Stage:
    """Changes at an even pace, each timed from its request to the sight of the Deployment that says so."""
    before, begun = await counts(operator), time.monotonic()
    sent: dict[str, float] = {}
    found: list[float] = []
    number = round(a_second * seconds)
    chosen = random.Random(0).sample(range(world.services), min(number, world.services))

    async def send() -> None:
        for turn, service in enumerate(chosen):
            await asyncio.sleep(begun + 2 + turn / a_second - time.monotonic())
            sent[f"{turn}"] = time.monotonic()
            spec = {"runtimes": {"cpu": {"env": [{"name": CHANGED, "value": f"{turn}"}]}}}
            group.create_task(api.send("PATCH", world.service_path(service), {"spec": spec}, MERGE))

    async with asyncio.timeout(seconds + 120), asyncio.TaskGroup() as group:
        group.create_task(send())
        component = "app.kubernetes.io/component=cpu"
        async for seen, deployment in api.watch("/apis/apps/v1/deployments", labelSelector=f"{SELECTOR},{component}"):
            turn = value_of_change(deployment)
            if turn in sent:
                found.append(seen - sent.pop(turn))
            if len(found) == len(chosen):
                break
    return Stage(time.monotonic() - begun, clock.passed(), (await counts(operator)).since(before), found)


def value_of_change(deployment: Object) -> str:
    """Which change a Deployment carries; empty for none."""
    env = deployment["spec"]["template"]["spec"]["containers"][0].get("env", [])
    return next((str(one["value"]) for one in env if one["name"] == CHANGED), "")


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on meanwhile; when it fails, so does what it is beside."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        yield
        task.cancel()
