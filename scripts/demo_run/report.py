"""What a ModelSet and a WhisperService say about themselves, in lines for a person. Pure: objects in, text out."""

from collections.abc import Iterator
from typing import Any

STEP = 10  # percent between two lines about one download: enough to see that it moves


def lines(kind: str, resource: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """(topic, text) pairs: a topic's text changes when there is something new to say about it."""
    if resource is None:
        yield kind, f"{kind}: not there"
        return
    status = resource.get("status", {})
    for variant in status.get("variants", []):
        yield f"{kind} {_name(variant)}", f"model {_name(variant)}: {variant_text(variant)}"
    for runtime in status.get("runtimes", []):
        yield f"{kind} {runtime['name']}", f"runtime {runtime['name']}: {runtime_text(runtime)}"
    told = {part.get("reason") for part in (*status.get("variants", []), *status.get("runtimes", []))}
    for condition in status.get("conditions", []):
        if condition["type"] in ("Ready", "Stalled") and condition["reason"] not in (*told, "Progressing"):
            yield f"{kind} {condition['type']}", f"{kind}: {condition_text(condition)}"


def variant_text(variant: dict[str, Any]) -> str:
    """A variant's state with how far it is, and why it failed."""
    parts = [str(variant["state"])]
    done, total = variant.get("bytesDone"), variant.get("bytesTotal")
    if variant["state"] == "Ready":
        return f"Ready, {_megabytes(variant.get('sizeBytes') or 0)}"
    if done and total:
        parts.append(f"{done * 100 // total // STEP * STEP} % of {_megabytes(total)}")
    if variant.get("message"):
        parts.append(f"{variant.get('reason')}: {variant['message']}")
    failure = variant.get("lastFailure")
    if failure and variant["state"] != "Ready":
        parts.append(f"attempt {variant.get('attempts', 1)} failed, {failure['reason']}: {failure['message']}")
    return ", ".join(dict.fromkeys(parts))


def runtime_text(runtime: dict[str, Any]) -> str:
    """How many pods of a runtime are there, and what is in the way."""
    if runtime.get("reason") == "VariantPending":
        return "waits for its model"  # whose own line says how far it is
    healthy = runtime.get("healthy")
    text = f"{runtime.get('ready', 0)} of {runtime.get('desired', 0)} pods ready"
    if healthy is not None:
        text += f", {healthy} healthy at the router"
    return f"{text}, {runtime['reason']}: {runtime.get('message', '')}" if runtime.get("reason") else text


def condition_text(condition: dict[str, Any]) -> str:
    """A condition as one sentence."""
    state = {"True": "", "False": "not ", "Unknown": "perhaps "}[condition["status"]] + condition["type"].lower()
    reason = "" if condition["reason"] == condition["type"] else f", {condition['reason']}"
    return f"{state}{reason}: {condition.get('message', '')}".rstrip(": ")


def is_ready(resource: dict[str, Any] | None) -> bool:
    """Whether it says Ready about the spec that it has now."""
    return _condition(resource, "Ready") == "True"


def is_stalled(resource: dict[str, Any] | None) -> bool:
    """Whether it says that nothing more happens until a person acts."""
    return _condition(resource, "Stalled") == "True"


def failures(resource: dict[str, Any] | None) -> dict[str, int]:
    """How often each variant that is not ready has failed in a row, by its line."""
    variants = (resource or {}).get("status", {}).get("variants", [])
    return {_name(variant): variant.get("attempts") or 0 for variant in variants if variant["state"] != "Ready"}


def _name(variant: dict[str, Any]) -> str:
    return f"{variant['name']} {variant['format']}/{variant['precision']}"


def _condition(resource: dict[str, Any] | None, kind: str) -> str | None:
    status = (resource or {}).get("status", {})
    if not resource or status.get("observedGeneration") != resource["metadata"].get("generation"):
        return None
    return next((c["status"] for c in status.get("conditions", []) if c["type"] == kind), None)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.0f} MB"
