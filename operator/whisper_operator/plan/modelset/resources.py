"""What a Job's container may use: what the spec says, else what its task needs for a model of this size."""

from typing import Any

from whisper_operator.api.modelset import ModelSet
from whisper_operator.plan.modelset.task import Task, Work

GIB = 2**30
UNKNOWN_SIZE = 2 * GIB
"""Bytes of a checkpoint of which the catalogue knows nothing."""


def resources(models: ModelSet, work: Work) -> dict[str, Any]:
    """Little is reserved; memory is bounded by what the model's size needs."""
    asked = models.spec.jobs.resources if models.spec.jobs else None
    if asked is not None:
        return asked.dump()
    requests = {"cpu": "100m", "memory": "256Mi"}
    if work.task is Task.VALIDATE:
        requests["ephemeral-storage"] = _gibibytes(work, 2)
    return {"requests": requests, "limits": {"memory": _memory(work)}}


def _memory(work: Work) -> str:
    match work.task:
        case Task.CONVERT | Task.TAKE:
            # A converter stays within twice its checkpoint.
            return _gibibytes(work, 2)
        case Task.VALIDATE:
            # FP32 is twice a checkpoint in half precision; an engine holds it once as a file and once as weights.
            return _gibibytes(work, 4)
        case _:
            return "1Gi"


def _gibibytes(work: Work, times: int) -> str:
    """So many times the checkpoint, and one gibibyte for all else."""
    return f"{1 - (-times * (work.wanted.size_bytes or UNKNOWN_SIZE) // GIB)}Gi"
