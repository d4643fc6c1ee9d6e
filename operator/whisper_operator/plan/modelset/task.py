"""What Jobs do: one task on one variant of one claim, whichever sets ask for it."""

from dataclasses import dataclass
from enum import StrEnum

from whisper_operator.plan import names
from whisper_operator.plan.modelset.wanted import Wanted


class Task(StrEnum):
    """What is done with a variant; also the component that the Job's label names."""

    DOWNLOAD = "download"
    TAKE = "take"
    """Ready-made from a hub or, where it is not to be had there, converted."""
    CONVERT = "convert"
    VALIDATE = "validate"
    VERIFY = "verify"
    REFRESH = "refresh"
    REMOVE = "remove"


MAKING = (Task.DOWNLOAD, Task.TAKE, Task.CONVERT)
"""Tasks after which there is a variant where there was none."""
ASKING = (Task.DOWNLOAD, Task.TAKE, Task.REFRESH)
"""Tasks that need the variant's source."""


@dataclass(frozen=True, slots=True)
class Work:
    """One task on one variant."""

    task: Task
    wanted: Wanted
    input: str
    """Stands for what the task is done with: a Job with another one does something else."""
    made_from: str | None = None
    """Digest of the base that a conversion starts from."""
    revision: str | None = None
    """The commit to download; what the spec says when None."""

    @property
    def job(self) -> str:
        """The Job's name."""
        return job_name(self.wanted, self.task)

    @property
    def makes(self) -> bool:
        """Whether there is no variant before it."""
        return self.task in MAKING


def making(wanted: Wanted, revision: str | None = None, base: str | None = None) -> Work:
    """What makes a variant.

    Args:
        wanted: the variant.
        revision: the commit to download, where another than the spec's is meant.
        base: digest of the checkpoint to convert.
    """
    if wanted.is_downloaded:
        return Work(Task.DOWNLOAD, wanted, wanted.input, revision=revision)
    return Work(Task.TAKE if wanted.is_taken else Task.CONVERT, wanted, wanted.input, made_from=base)


def job_name(wanted: Wanted, task: Task) -> str:
    """The Job that does a task with a variant."""
    variant = (wanted.claim, wanted.model, wanted.format, wanted.precision)
    return names.job(*variant) if task in MAKING else names.job(*variant, task)
