"""What the turn of one variant depends on besides the variant."""

from dataclasses import dataclass, field

from whisper_operator.api.modelset import ModelSet
from whisper_operator.plan.modelset.claim import Storage
from whisper_operator.plan.modelset.job import is_active
from whisper_operator.plan.modelset.keepers import in_charge, keeps
from whisper_operator.plan.modelset.siblings import Siblings
from whisper_operator.plan.types import Manifest, ObservedModelSet

AT_ONCE = 4
"""Jobs on one claim, where the spec does not say."""


@dataclass(frozen=True, slots=True)
class Around:
    """The set, its claim, its Jobs, and the other sets on the claim."""

    observed: ObservedModelSet
    storage: Storage
    siblings: Siblings
    begun: int = 0
    """Jobs that are started in this very turn."""
    jobs: dict[str, Manifest] = field(init=False)
    """Live Jobs on the claim by name."""

    def __post_init__(self) -> None:
        """Look Jobs up by name once."""
        object.__setattr__(self, "jobs", {one["metadata"]["name"]: one for one in self.observed.jobs})

    @property
    def models(self) -> ModelSet:
        """The set."""
        return self.observed.resource

    @property
    def suspended(self) -> bool:
        """Whether nothing may be started or removed."""
        return bool(self.models.spec.suspend)

    @property
    def is_busy(self) -> bool:
        """Whether as many Jobs are at work on the claim as may be."""
        asked = self.models.spec.jobs.parallelism if self.models.spec.jobs else None
        return self.begun + sum(map(is_active, self.observed.jobs)) >= (asked or AT_ONCE)

    def keeps(self, live: Manifest) -> bool:
        """Whether the set holds a Job."""
        return keeps(live, self.models)

    def in_charge(self, live: Manifest) -> bool:
        """Whether the set decides about a Job that fails."""
        return in_charge(live, self.models)
