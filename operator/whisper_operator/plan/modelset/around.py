"""What the turn of one variant depends on besides the variant."""

from dataclasses import dataclass, field

from whisper_operator.api.modelset import ModelSet
from whisper_operator.plan.modelset.claim import Storage
from whisper_operator.plan.modelset.keepers import in_charge, keeps
from whisper_operator.plan.modelset.siblings import Siblings
from whisper_operator.plan.types import Manifest, ObservedModelSet


@dataclass(frozen=True, slots=True)
class Around:
    """The set, its claim, its Jobs, and the other sets on the claim."""

    observed: ObservedModelSet
    storage: Storage
    siblings: Siblings
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

    def keeps(self, live: Manifest) -> bool:
        """Whether the set holds a Job."""
        return keeps(live, self.models)

    def in_charge(self, live: Manifest) -> bool:
        """Whether the set decides about a Job that fails."""
        return in_charge(live, self.models)
