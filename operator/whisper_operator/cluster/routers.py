"""What the routers say of the runtimes, asked all the time: nothing tells when it changes.

Each router pod is asked by itself, so one that does not answer keeps nobody from hearing the others. A service is
looked at again when one of its routers says something else than before, and not otherwise: at rest nothing is planned.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from whisper_operator.api import whisperservice
from whisper_operator.cluster.cache import Cache
from whisper_operator.cluster.kinds import POD
from whisper_operator.cluster.pod_http import PodHttp, host
from whisper_operator.plan.ownership import COMPONENT
from whisper_operator.plan.pods import is_ready, running_at
from whisper_operator.plan.service.health import HEALTH_QUERY, STATS_PORT, view
from whisper_operator.plan.types import Key, RouterHealth, TierHealth

log = logging.getLogger(__name__)

EVERY = 0.5
"""Seconds between two questions to one router."""
APART = 0.005
"""Seconds between two questions at all, so that a thousand services cost a fifth of a core and not two: with more than
fifty of two routers each, every one is asked less often."""

SILENT_AFTER = 2
"""Questions in a row without an answer; one may be lost where there is little processor time."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a router said last, and how many questions it has left without an answer since, as far as that matters."""

    view: Mapping[str, TierHealth] | None = None
    missed: int = SILENT_AFTER

    def heard(self, view: Mapping[str, TierHealth] | None) -> "Said":
        """After one more question."""
        return Said(view, 0) if view is not None else Said(self.view, min(self.missed + 1, SILENT_AFTER))


NOTHING = Said()


@dataclass(frozen=True, slots=True)
class Router:
    """One ready router pod."""

    key: Key
    name: str
    address: str


class Routers:
    """What all routers of all services said last.

    Args:
        cache: knows the pods.
        pod_http: asks them.
        changed: called with a service of which a router says something new.
    """

    def __init__(self, cache: Cache, pod_http: PodHttp, changed: Callable[[Key], None]) -> None:
        self._cache = cache
        self._pod_http = pod_http
        self._changed = changed
        self._said: dict[Router, Said] = {}
        self._asked: set[Router] = set()

    async def health(self, key: Key) -> RouterHealth | None:
        """As each router of a service said last; one that was never asked is asked now. None: there is none to ask."""
        routers = self._of(key)
        await asyncio.gather(*(self._ask(one) for one in routers if one not in self._said))
        return health_of({one.name: self._said.get(one, NOTHING) for one in routers}) if routers else None

    async def run(self) -> None:
        """Ask until cancelled."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            while True:
                began = loop.time()
                routers = self._all()
                self._forget(routers)
                for one in routers:
                    if one not in self._asked:
                        self._asked.add(one)
                        group.create_task(self._look(one))
                    await asyncio.sleep(APART)
                await asyncio.sleep(max(0.0, began + EVERY - loop.time()))

    async def _look(self, router: Router) -> None:
        """Ask, and tell of what is new. Whatever goes wrong with one question, the next are asked."""
        try:
            if await self._ask(router):
                self._changed(router.key)
        except Exception:
            log.exception("asking a router failed", extra={"pod": router.name, "resource": str(router.key)})
        finally:
            self._asked.discard(router)

    async def _ask(self, router: Router) -> bool:
        """Whether it says something new; a router that no turn has heard of yet has its turn to come."""
        page = await self._pod_http.page(f"http://{host(router.address)}:{STATS_PORT}{HEALTH_QUERY}")
        before = self._said.get(router)  # of now, not of before the question: a turn may have asked meanwhile
        self._said[router] = said = (before or NOTHING).heard(view(page))
        return before is not None and said != before

    def _forget(self, there: Iterable[Router]) -> None:
        kept = set(there)
        self._said = {one: said for one, said in self._said.items() if one in kept}

    def _all(self) -> list[Router]:
        services = [key for key in self._cache.resources() if key.kind == whisperservice.KIND]
        return [router for key in services for router in self._of(key)]

    def _of(self, key: Key) -> list[Router]:
        """One that is not ready yet gets no requests, and knows no pods yet."""
        pods = (pod for pod in self._cache.owned(key, POD.kind) if pod["metadata"]["labels"].get(COMPONENT) == "router")
        found = [Router(key, pod["metadata"]["name"], ip) for pod in pods if is_ready(pod) and (ip := running_at(pod))]
        return sorted(found, key=lambda one: one.name)


def health_of(said: Mapping[str, Said]) -> RouterHealth:
    """The routers' views; one that has missed a single question is left out where another answers, and believed else.

    It may have lost its node, so that what it said of the runtimes no longer counts; that it is silent is not told yet.
    """
    answer = any(one.missed == 0 for one in said.values())
    told = {name: one for name, one in said.items() if one.missed in (0, SILENT_AFTER) or not answer}
    return RouterHealth({name: None if one.missed == SILENT_AFTER else one.view for name, one in told.items()})
