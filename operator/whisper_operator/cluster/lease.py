"""The Lease that one of the operator's replicas holds: only its holder lists, watches and writes.

Optimistic concurrency decides every race: a Lease is changed only as it was read. So that this holds for the first time
too, it is made without a holder, and taken later. The holder stops by its own clock
before another may begin by its own, so that it needs no answer from anybody to stop. The clock is CLOCK_BOOTTIME, which
goes on while the process is stopped or the machine sleeps.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from whisper_operator.cluster.connection import Connection
from whisper_operator.cluster.errors import ApiError, Conflicting, NotLeader, NotThere
from whisper_operator.cluster.kinds import LEASE
from whisper_operator.metrics import LEADER, LEASE_TRANSITIONS
from whisper_operator.plan.lease import DURATION, MARGIN, Sight, held, holder, look, released, transitions
from whisper_operator.plan.types import Manifest

log = logging.getLogger(__name__)
RENEW_EVERY = 2.0
LOOK_EVERY = 1.0
"""How often a standby looks, and how soon a renewal that failed is tried again."""
PATIENCE = 3.0
"""Seconds for one request about the Lease."""
RELEASE_WITHIN = 2.0
A_MOMENT = 0.01
"""Later than just then: a timer may come a little early."""


def boot_time() -> float:
    """Seconds that go on while the process is stopped or the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Election:
    """One replica's part in deciding who leads.

    Args:
        connection: one of its own, so that no write has to be waited for and no other's lost connection is met.
        namespace: of the Lease.
        name: of the Lease.
        replica: a name for people; each process that takes part is told apart from earlier ones of that name.
    """

    def __init__(
        self, connection: Connection, namespace: str, name: str, replica: str, clock: Callable[[], float] = boot_time
    ) -> None:
        self.identity = f"{replica}_{secrets.token_hex(4)}"
        self._connection = connection
        self._namespace = namespace
        self._name = name
        self._clock = clock
        self._live: Manifest | None = None
        self._sight: Sight | None = None
        self._until = 0.0
        self._claimed = False
        self._trouble = False

    def left(self) -> float:
        """Seconds during which this process may still write; none when it does not lead."""
        return max(0.0, self._until - self._clock())

    @property
    def standing_by(self) -> bool:
        """It has seen the Lease, and another leads."""
        return self._sight is not None and not self._until

    async def win(self) -> None:
        """Return when this process leads, however long that takes."""
        while True:
            asked = self._clock()
            try:
                won = await self._try(asked)
                self._recovered()
            except ApiError as error:
                won = False
                self._troubled("the lease cannot be read or taken", error)
            if won:
                LEADER.set(1)
                log.info("leading", extra={"identity": self.identity})
                return
            await asyncio.sleep(self._pause(asked))

    async def hold(self) -> None:
        """Renew as long as that succeeds in time.

        Raises:
            NotLeader: it did not; nothing is written any more.
        """
        pause = RENEW_EVERY
        try:
            while True:
                await asyncio.sleep(min(_jittered(pause), self.left()))
                pause = await self._renew_or_retry()
        finally:
            LEADER.set(0)

    async def release(self) -> None:
        """Give the Lease back, if it is ours, so that another takes it at its next look."""
        self._until = 0.0
        if not self._claimed:
            return
        try:
            async with asyncio.timeout(RELEASE_WITHIN):
                await self._give_back()
        except (ApiError, TimeoutError) as error:
            log.warning("the lease could not be given back; it expires by itself", extra={"error": str(error)})

    async def _try(self, asked: float) -> bool:
        await self._read()
        try:
            if self._live is None:
                self._saw(await self._write({}, PATIENCE))
            if self._sight is None or (self._holder() != self.identity and asked < self._sight.free_at):
                return False
            await self._take(PATIENCE)
        except Conflicting:
            return False  # another was quicker
        return True

    async def _renew_or_retry(self) -> float:
        """How long until the next time."""
        try:
            await self._renew()
        except ApiError as error:
            self._troubled("the lease could not be renewed; trying again", error)
            return LOOK_EVERY
        self._recovered()
        return RENEW_EVERY

    async def _renew(self) -> None:
        try:
            await self._take(self._patience())
        except Conflicting:  # changed or deleted by hand, or our last renewal arrived without its answer
            await self._read()
            if self._holder() not in ("", self.identity):
                raise self._lost(f"it is held by {self._holder()}") from None
            await self._take(self._patience())

    def _patience(self) -> float:
        left = self.left()
        if not left:
            raise self._lost("it was not renewed in time")
        return min(PATIENCE, left)

    async def _take(self, patience: float) -> None:
        """Take or renew it as it was last read; the time to write counts from before the request."""
        started = self._clock()
        self._claimed = True
        spec = held(self._spec(), self.identity, datetime.now(UTC))
        self._saw(await self._write(spec, patience))
        self._until = started + DURATION - MARGIN

    async def _give_back(self) -> None:
        for _ in range(2):
            await self._read()
            if self._live is None or self._holder() != self.identity:
                return
            try:
                self._saw(await self._write(released(self._live["spec"], datetime.now(UTC)), PATIENCE))
            except Conflicting:
                continue  # a renewal that was cut off had arrived
            log.info("gave the lease back")
            return

    async def _read(self) -> None:
        path = LEASE.path(self._namespace, self._name)
        try:
            self._saw(await self._connection.request("get", path, timeout=PATIENCE))
        except NotThere:
            self._saw(None)

    async def _write(self, spec: dict[str, Any], patience: float) -> Manifest:
        if self._live is None:
            meta = {"name": self._name, "namespace": self._namespace}
            head = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": meta}
            return await self._connection.request(
                "post", LEASE.path(self._namespace), body=head | {"spec": spec}, timeout=patience
            )
        path = LEASE.path(self._namespace, self._name)
        return await self._connection.request("put", path, body=self._live | {"spec": spec}, timeout=patience)

    def _saw(self, live: Manifest | None) -> None:
        known = self._sight is not None and holder(self._sight.spec) == holder(live and live.get("spec"))
        self._live = live
        self._sight = look(self._sight, self._spec(), self._clock())
        LEASE_TRANSITIONS.set(transitions(self._spec()))
        if not known and not self._until and self._holder() not in ("", self.identity):
            log.info("standing by", extra={"leader": self._holder(), "identity": self.identity})

    def _spec(self) -> dict[str, Any] | None:
        return None if self._live is None else self._live.get("spec") or {}

    def _holder(self) -> str:
        return holder(self._spec())

    def _lost(self, why: str) -> NotLeader:
        self._until = 0.0
        self._claimed = False
        return NotLeader(f"the lease {self._namespace}/{self._name} is lost: {why}")

    def _pause(self, asked: float) -> float:
        """Until the next look: a little earlier when the holder's time will be over then."""
        pause = _jittered(LOOK_EVERY)
        if self._sight is None or self._trouble or asked >= self._sight.free_at:
            return pause
        return min(pause, max(0.0, self._sight.free_at - self._clock()) + A_MOMENT)

    def _troubled(self, what: str, error: ApiError) -> None:
        """Said once, until it is over: a standby asks every second."""
        log.log(logging.DEBUG if self._trouble else logging.WARNING, what, extra={"error": str(error)})
        self._trouble = True

    def _recovered(self) -> None:
        if self._trouble:
            log.info("the lease can be read and written again")
        self._trouble = False


def _jittered(seconds: float) -> float:
    """Replicas that began together do not stay in step."""
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311  # nothing secret
