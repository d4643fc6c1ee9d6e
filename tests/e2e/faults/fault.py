"""What a row of the fault table is."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.e2e.faults.scene import SIBLINGS, STEADY, Scene, Setting
from tests.e2e.faults.verdict import Expectation


@dataclass(frozen=True, slots=True)
class Length:
    """How much of it: `make test` takes the short form, `make test-long` the long one."""

    kills: int
    gone_seconds: int
    hub_gone_seconds: int


SHORT = Length(kills=2, gone_seconds=20, hub_gone_seconds=20)
LONG = Length(kills=12, gone_seconds=60, hub_gone_seconds=600)

Injector = Callable[[Scene, Length], AbstractContextManager[None]]
"""Entering breaks something and returns when that is done; leaving mends it, and checks what is the fault's own."""


class Through(Enum):
    """Whom the callers call."""

    SERVICE = "the Service, by its port on both nodes"
    STEADY_NODE = "the Service, by its port on the node that stays"
    STEADY_ROUTER = "the router on the node that stays"

    def urls(self, scene: Scene) -> Sequence[str]:
        if self is Through.STEADY_ROUTER:
            return [scene.router_url(STEADY)]
        return scene.urls([STEADY]) if self is Through.STEADY_NODE else scene.urls()


@dataclass(frozen=True, slots=True)
class Fault:
    """One row.

    Attributes:
        name: also of its metrics, with underscores.
        happens: what is done.
        inject: does it.
        setting: the service that it happens to.
        expects: what callers may notice; None where there are none.
        also: what else must hold; the injector checks it.
        through: whom the callers call.
        callers: how many transcribe at any moment.
        watched: seconds for which callers go on to begin requests after the fault.
        spec: what is set on the service for it, beyond what is always set.
        comes_first: it is there when the callers come; else it meets what is under way.
        in_short: whether `make test` has it.
        in_long: whether `make test-long` has it, at its full length.
    """

    name: str
    happens: str
    inject: Injector
    expects: Expectation | None = None
    setting: Setting = SIBLINGS
    also: str = ""
    through: Through = Through.SERVICE
    callers: int = 50
    watched: float = 8.0
    spec: Mapping[str, Any] = field(default_factory=dict)
    comes_first: bool = False
    in_short: bool = True
    in_long: bool = False
