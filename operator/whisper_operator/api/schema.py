"""The vocabulary of field types: each carries the bound and the pattern that the CRD needs.

CEL's cost estimate and etcd's size limit both want every string and list bounded, so the bound is part of the type.
Nothing here has a `default:` in the schema: defaults are resolved in code and published in `status.effective`,
because a default inside a list item looks like drift to GitOps tools.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from whisper_operator.api.units import amount, seconds

LABEL_NAME = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"
# Six digits, so that no duration is longer than the API server can count.
DURATION = r"^([0-9]{1,6}(ms|s|m|h))+$"


class Part(BaseModel):
    """A piece of a custom resource: camelCase outside, immutable, and deaf to fields of a newer version."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    def dump(self) -> dict[str, Any]:
        """The JSON form, without what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Rule(BaseModel):
    """One CEL rule and the sentence that a person reads when it refuses."""

    rule: str
    message: str


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """`json_schema_extra` for CEL rules, each a pair of expression and sentence."""
    return {"x-kubernetes-validations": [Rule(rule=rule, message=says).model_dump() for rule, says in pairs]}


def keyed_by(*keys: str) -> dict[str, Any]:
    """`json_schema_extra` for a list that the API server merges by these (required) keys."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


@dataclass(frozen=True, slots=True)
class Between:
    """Two bounds, for the API server as a CEL rule and for what was stored before there was one as a validator."""

    least: str
    most: str
    measure: Callable[[str], Fraction | float]
    cel: str
    """How CEL compares; `{}` stands for a bound."""

    def __call__(self, text: str) -> str:
        """As a pydantic validator."""
        if not self.measure(self.least) <= self.measure(text) <= self.measure(self.most):
            raise ValueError(self.sentence)
        return text

    @property
    def sentence(self) -> str:
        """What a person reads."""
        return f"must be from {self.least} to {self.most}"

    @property
    def rules(self) -> dict[str, Any]:
        """As a CEL rule."""
        least, most = (self.cel.format(f"'{bound}'", sign) for bound, sign in ((self.least, ">="), (self.most, "<=")))
        return rules((f"{least} && {most}", self.sentence))


def durations(least: str, most: str) -> Between:
    """Bounds of a duration."""
    return Between(least, most, seconds, "duration(self) {1} duration({0})")


def amounts(least: str, most: str) -> Between:
    """Bounds of an amount."""
    return Between(least, most, amount, "quantity(string(self)).compareTo(quantity({0})) {1} 0")


def _quantity_schema(extra: dict[str, Any]) -> dict[str, Any]:
    """Kubernetes accepts `cpu: 2` as readily as `cpu: "2"`; a pattern binds only the latter."""
    return {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": True,
        "maxLength": 24,
        "pattern": QUANTITY,
    } | extra


WHY_NO_USER = "must not hold a user name or password: everyone who reads the resource or its Jobs would read it"
NO_USER = rules(("!self.contains('@')", WHY_NO_USER))


def without_user(address: str) -> str:
    """As a pydantic validator; the address is not repeated."""
    if "@" in address:
        raise ValueError(WHY_NO_USER)
    return address


NOT_NEGATIVE = rules(("type(self) != int || self >= 0", "must not be negative"))
PROBE_TIME = durations("100ms", "1h")
REQUEST_TIME = durations("1s", "24h")
VERIFICATION_PERIOD = durations("1h", "9999h")
# Each question to a hub is a Job with a pod.
REFRESH_PERIOD = durations("5m", "9999h")
VOLUME_SIZE = amounts("1Mi", "1000Ti")
# The router counts an upload's bytes in 32 bits.
UPLOAD_SIZE = amounts("1k", "4095Mi")


ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")]
"""The name of a Kubernetes object that the user refers to."""
ModelName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-._a-z0-9]*[a-z0-9])?$")]
"""A catalogue name (`tiny.en`) or an own one."""
Image = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\s]+$")]
Url = Annotated[str, Field(min_length=8, max_length=512, pattern=r"^https?://[^\s/]+(/[^\s]*)?$")]
Endpoint = Annotated[Url, Field(json_schema_extra=NO_USER), AfterValidator(without_user)]
"""Where to ask; credentials belong elsewhere."""
Duration = Annotated[str, Field(min_length=2, max_length=16, pattern=DURATION)]
"""Kubernetes' spelling: `500ms`, `2s`, `1h30m`."""
ProbeTime = Annotated[Duration, Field(json_schema_extra=PROBE_TIME.rules), AfterValidator(PROBE_TIME)]
"""How often, or how long, a pod is asked."""
RequestTime = Annotated[Duration, Field(json_schema_extra=REQUEST_TIME.rules), AfterValidator(REQUEST_TIME)]
"""How long a request may take."""
VerificationPeriod = Annotated[
    Duration, Field(json_schema_extra=VERIFICATION_PERIOD.rules), AfterValidator(VERIFICATION_PERIOD)
]
"""How often what lies on a disk is read again."""
RefreshPeriod = Annotated[Duration, Field(json_schema_extra=REFRESH_PERIOD.rules), AfterValidator(REFRESH_PERIOD)]
"""How often a hub is asked for something new."""
Amount = Annotated[str, Field(coerce_numbers_to_str=True, max_length=24, pattern=QUANTITY)]
"""Kubernetes' spelling of an amount: `2`, `500m`, `4Gi`."""
Quantity = Annotated[Amount, WithJsonSchema(_quantity_schema(NOT_NEGATIVE))]
"""An amount that may be zero."""
VolumeSize = Annotated[Amount, AfterValidator(VOLUME_SIZE), WithJsonSchema(_quantity_schema(VOLUME_SIZE.rules))]
"""How much a volume holds."""
UploadSize = Annotated[Amount, AfterValidator(UPLOAD_SIZE), WithJsonSchema(_quantity_schema(UPLOAD_SIZE.rules))]
"""How large a request's body may be."""
LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]
ShortText = Annotated[str, Field(max_length=253)]
Message = Annotated[str, Field(max_length=2048)]
Timestamp = Annotated[str, Field(max_length=32), WithJsonSchema({"type": "string", "format": "date-time"})]
