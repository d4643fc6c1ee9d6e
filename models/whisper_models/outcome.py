"""How a command ended: its exit code, and the line of JSON that `--json` prints and a termination message has.

Keys are only ever added: the operator and people's scripts read these lines.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import IntEnum
from itertools import takewhile
from pathlib import Path
from typing import ClassVar

from whisper_models.artifact import Format, Manifest, Precision, Validation, Variant
from whisper_models.errors import ModelFailure, SourceFailure

LONGEST_MESSAGE = 2000
"""Bytes: Kubernetes keeps 4096 of the whole line."""

EXCERPT = 60
"""Characters of a transcript, from a little before the first difference on."""


class Exit(IntEnum):
    """What a script can tell a command's end by; 128 + n is a command that signal n stopped."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNVERIFIED = 3


@dataclass(frozen=True, slots=True)
class Ready:
    """The variant is in the store; `similarity` is None until it was validated."""

    model: str
    format: Format
    precision: Precision
    revision: str
    digest: str
    size_bytes: int
    path: str
    similarity: float | None = None
    threshold: float | None = None  # that the similarity was held against
    premade: str | None = None  # the repository or folder that it was taken from as it is, where it was not converted
    converted_because: str | None = None  # why it was not taken, where somebody publishes it ready-made

    outcome: ClassVar[str] = "Ready"

    @classmethod
    def of(
        cls, manifest: Manifest, path: str, converted_because: str | None = None, taken_from: str | None = None
    ) -> Ready:
        """From what the store says; another store's manifest, which stays as it is, does not name that store."""
        found = manifest.validation
        return cls(
            model=manifest.model,
            format=manifest.format,
            precision=manifest.precision,
            revision=manifest.source.revision,
            digest=manifest.digest,
            size_bytes=manifest.size_bytes,
            path=path,
            similarity=found.similarity if found else None,
            threshold=found.threshold if found else None,
            premade=taken_from or manifest.premade,
            converted_because=_shortened(converted_because) if converted_because else None,
        )


@dataclass(frozen=True, slots=True)
class Unverified:
    """The variant is in the store, but its transcripts are too far from the reference's for it to be served."""

    model: str
    format: Format
    precision: Precision
    digest: str
    path: str
    similarity: float
    threshold: float
    message: str

    outcome: ClassVar[str] = "Unverified"

    @classmethod
    def of(cls, manifest: Manifest, validation: Validation, path: str) -> Unverified:
        """From what the store says; the message shows the clip that differs most."""
        worst = min(validation.transcripts, key=lambda one: one.similarity)
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(worst.text, worst.expected, strict=False))
        at = max(len(list(alike)) - EXCERPT // 4, 0)
        message = (
            f"{manifest.variant} has a similarity of {validation.similarity:.3f}, less than {validation.threshold:g}: "
            f"in {worst.clip} it hears {_excerpt(worst.text, at)!r} where FP32 hears {_excerpt(worst.expected, at)!r}; "
            "use a higher precision, or a larger model"
        )
        return cls(
            model=manifest.model,
            format=manifest.format,
            precision=manifest.precision,
            digest=manifest.digest,
            path=path,
            similarity=validation.similarity,
            threshold=validation.threshold,
            message=_shortened(message),
        )


@dataclass(frozen=True, slots=True)
class Removed:
    """The variant is no longer in the store."""

    model: str
    format: Format
    precision: Precision
    freed_bytes: int

    outcome: ClassVar[str] = "Removed"


@dataclass(frozen=True, slots=True)
class Failed:
    """What was asked for did not come about, and why."""

    reason: str
    message: str
    retryable: bool
    model: str | None = None
    retry_after: float | None = None  # seconds, where the hub named them
    format: Format | None = None
    precision: Precision | None = None

    outcome: ClassVar[str] = "Failed"

    @classmethod
    def of(cls, failure: ModelFailure, variant: Variant | None = None) -> Failed:
        """From the failure that was raised."""
        return cls(
            reason=failure.reason,
            message=_shortened(failure.message),
            retryable=failure.retryable,
            model=variant.model if variant else None,
            retry_after=failure.retry_after if isinstance(failure, SourceFailure) else None,
            format=variant.format if variant else None,
            precision=variant.precision if variant else None,
        )


def _excerpt(text: str, at: int) -> str:
    end = at + EXCERPT
    return ("..." if at else "") + text[at:end] + ("..." if end < len(text) else "")


def _shortened(message: str) -> str:
    return message.encode()[:LONGEST_MESSAGE].decode(errors="ignore")


Outcome = Ready | Unverified | Removed | Failed


def validated(manifest: Manifest, path: str) -> Ready | Unverified:
    """What a validation came to."""
    found = manifest.validation
    return Ready.of(manifest, path) if found is None or found.passed else Unverified.of(manifest, found, path)


def as_json(outcome: Outcome) -> str:
    """One line."""
    return json.dumps({"outcome": outcome.outcome, **asdict(outcome)}, ensure_ascii=False)


def leave(outcome: Outcome, path: Path | None) -> None:
    """Write the termination message, where one is wanted."""
    if path is not None:
        path.write_text(as_json(outcome))


def exit_code(outcomes: Collection[Outcome]) -> Exit:
    """A failure outweighs a variant that is there and not good enough."""
    if any(isinstance(outcome, Failed) for outcome in outcomes):
        return Exit.FAILED
    if any(isinstance(outcome, Unverified) for outcome in outcomes):
        return Exit.UNVERIFIED
    return Exit.DONE
