"""The little of a pod's spec that a user may set: resources, placement, environment. Never a whole PodSpec."""

from typing import Annotated, Literal

from pydantic import Field

from whisper_operator.api.schema import LabelKey, LabelValue, Part, Quantity, keyed_by, rules

Amounts = Annotated[dict[Annotated[str, Field(max_length=253)], Quantity], Field(max_length=16)]


class Resources(Part):
    """Compute resources of the container."""

    requests: Amounts | None = None
    """What the scheduler keeps free for it."""
    limits: Amounts | None = None
    """What it may use at most."""


class Toleration(Part):
    """A taint that the pods put up with."""

    key: LabelKey | None = None
    """Taint key; empty with operator Exists means every key."""
    operator: Literal["Exists", "Equal"] | None = None
    """How the value is compared; Equal when absent."""
    value: LabelValue | None = None
    """Taint value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Taint effect; every effect when absent."""
    toleration_seconds: Annotated[int, Field(ge=0)] | None = None
    """How long a NoExecute taint is tolerated; for ever when absent."""


class NodeRequirement(Part):
    """One comparison of a node label."""

    key: LabelKey
    """Node label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """Comparison."""
    values: Annotated[tuple[LabelValue, ...], Field(max_length=64)] | None = None
    """What to compare with; none for Exists and DoesNotExist."""


class NodeTerm(Part):
    """Requirements that must all hold on one node."""

    match_expressions: Annotated[tuple[NodeRequirement, ...], Field(min_length=1, max_length=16)]
    """All of these."""


class RequiredNodes(Part):
    """Nodes that qualify."""

    node_selector_terms: Annotated[tuple[NodeTerm, ...], Field(min_length=1, max_length=16)]
    """Any of these."""


class PreferredNodes(Part):
    """Nodes that are better than others."""

    weight: Annotated[int, Field(ge=1, le=100)]
    """How much better."""
    preference: NodeTerm
    """Which nodes."""


class NodeAffinity(Part):
    """Rules about nodes, as in a pod's spec."""

    required_during_scheduling_ignored_during_execution: RequiredNodes | None = None
    """Pods run only on these nodes."""
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[tuple[PreferredNodes, ...], Field(max_length=16)] | None
    ) = None
    """Pods run on these nodes if they can."""


class Affinity(Part):
    """Scheduling rules; only those about nodes, since the operator spreads replicas itself."""

    node_affinity: NodeAffinity | None = None
    """Rules about nodes."""


class Placement(Part):
    """Where the pods may run."""

    node_selector: Annotated[dict[LabelKey, LabelValue], Field(max_length=16)] | None = None
    """Labels that a node must have."""
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] | None = None
    """Taints that the pods put up with."""
    affinity: Affinity | None = None
    """Finer rules."""


class EnvVar(Part):
    """One environment variable."""

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    """Name."""
    value: Annotated[str, Field(max_length=1024)] = ""
    """Value, as it is: secrets do not belong here."""


Environment = Annotated[
    tuple[EnvVar, ...],
    Field(
        max_length=32,
        json_schema_extra=keyed_by("name")
        | rules(
            (
                "!self.exists(e, e.name.startsWith('WHISPER_'))",
                "variables that start with WHISPER_ are set by the operator: use the fields of the spec instead",
            )
        ),
    ),
]
