"""How a command ended, in the one line of JSON that a Job's termination message carries and `--json` prints."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from whisper_models.artifact import Format, Manifest, Precision
from whisper_models.errors import ModelFailure, SourceFailure

LONGEST_MESSAGE = 2000
"""Characters: Kubernetes keeps 4096 bytes of the whole."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The variant is in the store."""

    model: str
    format: Format
    precision: Precision
    revision: str
    digest: str
    size_bytes: int
    path: str

    outcome: ClassVar[str] = "Ready"

    @classmethod
    def of(cls, manifest: Manifest, path: str) -> Ready:
        """From what the store says."""
        return cls(
            model=manifest.model,
            format=manifest.format,
            precision=manifest.precision,
            revision=manifest.source.revision,
            digest=manifest.digest,
            size_bytes=manifest.size_bytes,
            path=path,
        )


@dataclass(frozen=True, slots=True)
class Failed:
    """It is not, and why."""

    reason: str
    message: str
    retryable: bool
    model: str | None = None
    retry_after: float | None = None  # seconds, where the hub named them

    outcome: ClassVar[str] = "Failed"

    @classmethod
    def of(cls, failure: ModelFailure, model: str | None = None) -> Failed:
        """From the failure that was raised."""
        after = failure.retry_after if isinstance(failure, SourceFailure) else None
        return cls(failure.reason, failure.message[:LONGEST_MESSAGE], failure.retryable, model, after)


Outcome = Ready | Failed


def as_json(outcome: Outcome) -> str:
    """One line."""
    return json.dumps({"outcome": outcome.outcome, **asdict(outcome)}, ensure_ascii=False)


def leave(outcome: Outcome, path: Path | None) -> None:
    """Write the termination message, where one is wanted."""
    if path is not None:
        path.write_text(as_json(outcome))
