"""Writes what is made from code: the CRDs, the chart's copy of them, and the reference pages.

`python -m scripts.generate` writes; `--check` only says what differs and fails.
"""

import argparse
import ast
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from whisper_operator.api import conditions, modelset, whisperservice
from whisper_operator.api.crd import definitions

from scripts import models_page
from tests.e2e.faults import page as faults

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "make generate"
SOURCES = {
    modelset.PLURAL: "operator/whisper_operator/api/modelset.py",
    whisperservice.PLURAL: "operator/whisper_operator/api/whisperservice.py",
}


class Indented(yaml.SafeDumper):
    """Indents lists below their key, as yamllint and people like it; never writes an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # PyYAML's signature
        """List items are indented."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML's signature
        """A type that is used twice is written twice."""
        return True


def crd_text(plural: str, definition: dict[str, Any]) -> str:
    """One CustomResourceDefinition as a file."""
    header = f"# Generated from {SOURCES[plural]} by `{COMMAND}`: do not edit.\n---\n"
    return header + yaml.dump(definition, Dumper=Indented, sort_keys=False, width=110, allow_unicode=True)


def type_of(schema: dict[str, Any]) -> str:
    """A type as a reader names it."""
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if "additionalProperties" in schema:
        return f"map of {type_of(schema['additionalProperties'])}"
    return str(schema.get("type", "any"))


def rows(schema: dict[str, Any], prefix: str) -> list[str]:
    """One row of the table for each field, depth first."""
    found = []
    for name, child in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" + ("[]" if child.get("type") == "array" else "")
        must = "yes" if name in schema.get("required", ()) else ""
        notes = [child.get("description", "").replace("\n", " ").replace("|", "\\|")]
        notes += [rule["message"] + "." for rule in child.get("x-kubernetes-validations", ())]
        found.append(f"| `{path}` | {type_of(child)} | {must} | {' '.join(note for note in notes if note)} |")
        found += rows(child.get("items", child), path)
    return found


def table(schema: dict[str, Any], prefix: str) -> list[str]:
    """Every field below one part of the resource."""
    return ["| field | type | required | meaning |", "|---|---|---|---|", *rows(schema, prefix), ""]


def resource_page(plural: str, definition: dict[str, Any]) -> str:
    """The reference page of one kind."""
    names = definition["spec"]["names"]
    version = definition["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    columns = ", ".join(column["name"] for column in version["additionalPrinterColumns"] if "priority" not in column)
    api_version = f"{definition['spec']['group']}/{version['name']}"
    lines = [
        f"<!-- Generated from {SOURCES[plural]} by `{COMMAND}`: do not edit. -->",
        f"# {names['kind']}",
        "",
        schema["description"],
        "",
        f"`apiVersion: {api_version}` · `kubectl get {names['shortNames'][0]}` shows {columns}.",
        "",
        "Rules on the resource as a whole:",
        "",
        *[f"- {rule['message']}." for rule in schema["x-kubernetes-validations"]],
        "",
        *(line for part in ("spec", "status") for line in section(schema, part)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def section(schema: dict[str, Any], part: str) -> list[str]:
    """One part of the resource: its rules and its table."""
    found = schema["properties"][part]
    notes = [f"- {rule['message']}." for rule in found.get("x-kubernetes-validations", ())]
    return [f"## {part}", "", found["description"], "", *notes, *([""] if notes else []), *table(found, part)]


def documented(class_name: str) -> list[tuple[str, str]]:
    """The values of an enumeration with the sentence below each."""
    source = Path(conditions.__file__).read_text()
    body = next(n.body for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == class_name)
    return [
        (str(ast.literal_eval(value.value)), str(ast.literal_eval(says.value)))
        for value, says in pairwise(body)
        if isinstance(value, ast.Assign) and isinstance(says, ast.Expr)
    ]


def conditions_page() -> str:
    """The reference page of all conditions and reasons."""
    lines = [
        f"<!-- Generated from operator/whisper_operator/api/conditions.py by `{COMMAND}`: do not edit. -->",
        "# Conditions and reasons",
        "",
        "| condition | meaning |",
        "|---|---|",
        *[f"| `{name}` | {says} |" for name, says in documented("ConditionType")],
        "",
        "| reason | meaning |",
        "|---|---|",
        *[f"| `{name}` | {says} |" for name, says in documented("Reason")],
    ]
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Every generated file with what it should say."""
    found = {
        ROOT / "docs/reference/conditions.md": conditions_page(),
        ROOT / "docs/reference/faults.md": faults.page(
            f"<!-- Generated from {faults.SOURCE} by `{COMMAND}`: do not edit. -->\n"
        ),
        ROOT / "docs/reference/whisper-models.md": models_page.page(
            f"<!-- Generated from {models_page.SOURCE} by `{COMMAND}`: do not edit. -->\n"
        ),
    }
    for plural, definition in definitions().items():
        text = crd_text(plural, definition)
        name = f"{definition['metadata']['name'].split('.', 1)[1]}_{plural}.yaml"
        found[ROOT / "crds" / name] = text
        found[ROOT / "charts/whisper-operator/files/crds" / name] = text
        found[ROOT / "docs/reference" / f"{definition['spec']['names']['singular']}.md"] = resource_page(
            plural, definition
        )
    return found


def main() -> int:
    """Write or compare; 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args().check
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files()[path])
        print(f"{'differs' if check else 'wrote'}: {path.relative_to(ROOT)}")
    if check and stale:
        print(f"generated files are not up to date: run `{COMMAND}`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
