"""Which device serves, which ones would be better, and why they do not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from whisper_runtime.engine import Device, Fallback
from whisper_runtime.results import DeviceUse

from whisper_npu.engine.choice import Refusal
from whisper_npu.engine.crew import Crew
from whisper_npu.engine.messages import Survey

NO_DEVICE = "none"


@dataclass(slots=True)
class Standing:
    """What is known of the devices that were wanted, best first."""

    order: tuple[str, ...]
    refused: dict[str, Refusal] = field(default_factory=dict)
    fallbacks: Counter[Fallback] = field(default_factory=Counter)

    def learn(self, refusals: Iterable[Refusal]) -> None:
        """These devices do not serve."""
        self.refused |= {refusal.device: refusal for refusal in refusals}

    def fell(self, refusals: Iterable[Refusal], crew: Crew | None) -> None:
        """Something else serves instead of these devices, or nothing does."""
        used = crew.device.name if crew else NO_DEVICE
        for refusal in refusals:
            self.refused[refusal.device] = refusal
            self.fallbacks[Fallback(refusal.device, used, refusal.reason)] += 1

    def serves(self, crew: Crew) -> None:
        """Whatever was wrong with this device is over."""
        self.refused.pop(crew.wanted, None)

    def better(self, crew: Crew) -> tuple[str, ...]:
        """The devices ahead of the one in use."""
        return self.order[: self.order.index(crew.wanted)]

    def worse(self, crew: Crew) -> tuple[str, ...]:
        """The devices after it."""
        return self.order[self.order.index(crew.wanted) + 1 :]

    @property
    def reasons(self) -> str:
        """Why nothing serves."""
        return _told(self.refused.values()) or "no device is open"

    def use(self, crew: Crew | None) -> DeviceUse:
        """The first device of the order, the one in use, and why they differ if they do."""
        wanted = self.order[0]
        if crew is None:
            return DeviceUse(requested=wanted, used=NO_DEVICE, fallback_reason=_told(self.refused.values()) or None)
        reasons = _told(self.refused[name] for name in self.better(crew) if name in self.refused)
        return DeviceUse(requested=wanted, used=crew.device.name, fallback_reason=reasons or None)

    def devices(self, crew: Crew | None, survey: Survey) -> tuple[Device, ...]:
        """Each device of the order as it stands."""
        return tuple(self._device(name, crew, survey) for name in self.order)

    def _device(self, name: str, crew: Crew | None, survey: Survey) -> Device:
        active = crew is not None and crew.wanted == name
        refusal = self.refused.get(name)
        status = "active" if active else f"{refusal.reason}: {refusal.message}" if refusal else "not tried"
        cache = str(crew.source) if crew is not None and active else None
        found = crew.device if crew is not None and active else survey.find(name)
        if found is None:
            return Device(name, "not found", status=status)
        return Device(found.name, found.description, found.driver, found.memory_bytes, status, cache)


def _told(refusals: Iterable[Refusal]) -> str:
    return "; ".join(map(str, refusals))
