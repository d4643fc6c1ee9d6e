"""The vocabulary of field types: each carries the bound and the pattern that the CRD needs.

CEL's cost estimate and etcd's size limit both want every string and list bounded, so the bound is part of the type.
Nothing here has a `default:` in the schema: defaults are resolved in code and published in `status.effective`,
because a default inside a list item looks like drift to GitOps tools.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

LABEL_NAME = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"
DURATION = r"^([0-9]+(ms|s|m|h))+$"


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


def _quantity_schema(pattern: str) -> dict[str, Any]:
    """Kubernetes accepts `cpu: 2` as readily as `cpu: "2"`."""
    return {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": True,
        "maxLength": 24,
        "pattern": pattern,
    }


ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")]
"""The name of a Kubernetes object that the user refers to."""
ModelName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-._a-z0-9]*[a-z0-9])?$")]
"""A catalogue name (`tiny.en`) or an own one."""
Image = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\s]+$")]
Url = Annotated[str, Field(min_length=8, max_length=512, pattern=r"^https?://[^\s/]+(/[^\s]*)?$")]
Duration = Annotated[str, Field(min_length=2, max_length=16, pattern=DURATION)]
"""Kubernetes' spelling: `500ms`, `2s`, `1h30m`."""
Quantity = Annotated[
    str,
    Field(coerce_numbers_to_str=True, max_length=24, pattern=QUANTITY),
    WithJsonSchema(_quantity_schema(QUANTITY)),
]
"""Kubernetes' spelling of an amount: `2`, `500m`, `4Gi`."""
LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]
ShortText = Annotated[str, Field(max_length=253)]
Message = Annotated[str, Field(max_length=2048)]
Timestamp = Annotated[str, Field(max_length=32), WithJsonSchema({"type": "string", "format": "date-time"})]
