"""The schemas keep the rules that the API server and GitOps tools need."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from whisper_models.artifact import OFFERED
from whisper_operator.api.conditions import ConditionType, Reason
from whisper_operator.api.crd import definitions
from whisper_operator.api.modelset import NOT_VARIANTS, VARIANTS, VariantSpec

from scripts.generate import documented

Schema = dict[str, Any]


def nodes(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{path}[]")


ALL = [
    (path, node)
    for plural, one in definitions().items()
    for part in ("spec", "status")
    for path, node in nodes(
        one["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part], f"{plural}.{part}"
    )
]


def test_every_string_list_and_map_is_bounded() -> None:
    def bounded(node: Schema) -> bool:
        if node.get("type") == "array":
            return "maxItems" in node
        if "additionalProperties" in node:
            return "maxProperties" in node
        if node.get("type") == "string" or node.get("x-kubernetes-int-or-string"):
            return "maxLength" in node or "enum" in node or "format" in node
        return True

    assert not [path for path, node in ALL if not bounded(node)]


def test_keys_of_map_lists_are_required() -> None:
    for path, node in ALL:
        for key in node.get("x-kubernetes-list-map-keys", ()):
            assert key in node["items"]["required"], path


@pytest.mark.parametrize("word", ["$ref", "$defs", "title", "default", "const", "propertyNames", "oneOf", "allOf"])
def test_no_schema_says_what_is_not_structural(word: str) -> None:
    assert not [path for path, node in ALL if word in node]


def test_every_node_has_a_type_and_every_field_of_a_spec_a_description() -> None:
    assert not [path for path, node in ALL if "type" not in node and "x-kubernetes-int-or-string" not in node]
    undescribed = {
        f"{path}.{name}"
        for path, node in ALL
        for name, child in node.get("properties", {}).items()
        if ".spec" in path and not child.get("description")
    }
    assert not undescribed


def test_the_spec_takes_exactly_the_variants_that_are_made() -> None:
    """What is said of pairs, the API server's own answers prove; here that every pair can be written at all."""
    formats, precisions = (get_args(VariantSpec.model_fields[name].annotation) for name in ("format", "precision"))
    made = {form: several for form, several in OFFERED.items() if form not in NOT_VARIANTS}
    assert set(formats) == {str(form) for form in made}
    assert set(precisions) == {str(one) for several in made.values() for one in several}
    assert {str(form): tuple(map(str, several)) for form, several in made.items()} == VARIANTS


def test_every_condition_and_reason_is_explained() -> None:

    assert {name for name, _ in documented("ConditionType")} == set(ConditionType)
    assert {name for name, _ in documented("Reason")} == set(Reason)
