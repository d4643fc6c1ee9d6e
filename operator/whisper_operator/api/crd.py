"""From the pydantic types to CustomResourceDefinitions with structural schemas.

Pydantic speaks JSON schema with references and unions; the API server wants one inlined tree without them.
"""

from typing import Any

from whisper_operator.api import GROUP, VERSION, modelset, whisperservice
from whisper_operator.api.resource import NAME_RULES, Resource
from whisper_operator.api.schema import rules

Schema = dict[str, Any]
DROPPED = ("title", "default", "$defs", "propertyNames", "additionalProperties")
READY = '.status.conditions[?(@.type=="Ready")]'


def structural(node: Schema, definitions: Schema) -> Schema:
    """Inline references, take optional unions apart, and drop what the API server does not know."""
    node = _resolved(node, definitions)
    found = {key: value for key, value in node.items() if key not in DROPPED}
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if found.get("type") == "integer":
        found["format"] = "int64"
    if "items" in found:
        found["items"] = structural(found["items"], definitions)
    if "properties" in found:
        found["properties"] = {name: structural(one, definitions) for name, one in found["properties"].items()}
    if isinstance(values := node.get("additionalProperties"), dict):
        found["additionalProperties"] = structural(values, definitions)
    return found


def _resolved(node: Schema, definitions: Schema) -> Schema:
    if "$ref" in node:
        target = _resolved(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
        return target | {key: value for key, value in node.items() if key != "$ref"}
    options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        return _resolved(options[0], definitions) | rest
    return node


def schema(model: type[Resource], *extra: tuple[str, str]) -> Schema:
    """The schema of a whole custom resource."""
    raw = model.model_json_schema(by_alias=True)
    definitions = raw.get("$defs", {})
    return {
        "type": "object",
        "description": raw["description"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(raw["properties"]["spec"], definitions),
            "status": structural(raw["properties"]["status"], definitions),
        },
    } | rules(*NAME_RULES, *extra)


def column(name: str, path: str, kind: str = "string", priority: int = 0) -> Schema:
    """One column of `kubectl get`."""
    found: Schema = {"name": name, "type": kind, "jsonPath": path}
    return found | {"priority": priority} if priority else found


AGE = column("Age", ".metadata.creationTimestamp", "date")
REASON = column("Reason", f"{READY}.reason")
IS_READY = column("Ready", f"{READY}.status")
MESSAGE = column("Message", f"{READY}.message", priority=1)

MODELSET_COLUMNS = [
    IS_READY,
    column("Models", ".status.models"),
    column("Progress", ".status.progress"),
    column("Size", ".status.size"),
    REASON,
    MESSAGE,
    AGE,
]
WHISPERSERVICE_COLUMNS = [
    IS_READY,
    column("Active", ".status.activeRuntime"),
    column("Chain", ".status.chain"),
    column("Model", ".spec.model"),
    column("URL", ".status.url"),
    REASON,
    MESSAGE,
    AGE,
]


def definition(kind: str, plural: str, short: str, columns: list[Schema], body: Schema) -> Schema:
    """One CustomResourceDefinition."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}", "labels": {"app.kubernetes.io/part-of": "whisper"}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short],
                "categories": ["whisper"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": columns,
                    "schema": {"openAPIV3Schema": body},
                }
            ],
        },
    }


def definitions() -> dict[str, Schema]:
    """Both CustomResourceDefinitions, by the plural name of their kind."""
    return {
        modelset.PLURAL: definition(
            modelset.KIND, modelset.PLURAL, "mset", MODELSET_COLUMNS, schema(modelset.ModelSet)
        ),
        whisperservice.PLURAL: definition(
            whisperservice.KIND,
            whisperservice.PLURAL,
            "wsvc",
            WHISPERSERVICE_COLUMNS,
            schema(whisperservice.WhisperService, whisperservice.NAME_RULE),
        ),
    }
