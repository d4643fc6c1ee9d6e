"""Everything that can go wrong with a model, each with the reason a person reads in a status or a termination message.

ModelFailure
├── UnknownModel            the catalogue has no such name and no repository was given
├── UnusableSource          the address, the digest or the folder that was given cannot be a source
├── UnsupportedCheckpoint   the source is there, but not in a form that is read here (only a pickle, not a Whisper, …)
├── UnverifiedModel         a runtime was told to serve a variant that did not pass its validation
└── Recoverable             the same command succeeds once the cause is gone
    ├── SourceFailure       the hub, or the way to it
    │   ├── HubUnreachable      no answer: route, refusal, time-out, a transfer that broke off
    │   ├── DnsFailed           the name of the hub, or of the proxy before it, leads to no address
    │   ├── TlsFailed           its certificate is not trusted here, or no encrypted connection came about
    │   ├── TooSlow             a transfer that all but stopped
    │   ├── HubError            an answer of 5xx, or one that makes no sense
    │   ├── Throttled           429 for longer than we are willing to wait
    │   ├── AuthFailed          401, 403 or a proxy's 407, or no token to be read: missing, wrong, or without access
    │   ├── GatedRepo           its terms must be accepted first, by whoever the token belongs to
    │   └── NotFound            no such repository, revision or file
    ├── ContentFailure      what arrived
    │   ├── ChecksumMismatch    the bytes are not those that were published
    │   └── Incomplete          fewer or other files than the variant needs
    ├── StorageFailure      the volume
    │   ├── DiskFull            no space, or not enough for what is about to be written
    │   ├── ReadOnlyVolume      mounted read-only
    │   ├── PermissionDenied    owned by somebody else
    │   └── PathTaken           somebody else's files lie where the variant belongs
    ├── SourceMissing       a conversion was asked for, but what it converts is not in the store
    ├── LibraryMissing      a Python package or a tool that the work needs is not installed
    ├── ConversionFailed    the conversion, or the check that ends it, did not succeed
    ├── UnusableSample      a clip to validate with cannot be heard, or is too long: its owner may mend it where it is
    └── ValidationFailed    an engine did not load the variant or did not transcribe: crashed, hung, out of memory

A message is one sentence that says what was wrong, where, and what to do about it. It never contains a token.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import ClassVar


class ModelFailure(Exception):  # noqa: N818 - its leaves are named like the reasons that people read
    """The root: a failure with a reason, a sentence, and whether trying again can help."""

    retryable: ClassVar[bool] = False

    @property
    def reason(self) -> str:
        """The CamelCase cause, as conditions and termination messages name it."""
        return type(self).__name__

    @property
    def message(self) -> str:
        """The sentence."""
        return str(self)


class UnknownModel(ModelFailure):
    """The catalogue has no such name, and no repository was given."""


class UnusableSource(ModelFailure):
    """The address, the digest or the folder that was given cannot be a source."""


class UnsupportedCheckpoint(ModelFailure):
    """The source is there, but not in a form that is read here."""


class UnverifiedModel(ModelFailure):
    """A runtime was told to serve a variant that did not pass its validation."""


class Recoverable(ModelFailure):
    """The same command succeeds once the cause is gone."""

    retryable = True


class SourceFailure(Recoverable):
    """The hub, or the way to it; where the hub said when to come back, so many seconds from now."""

    retry_after: float | None = None


class HubUnreachable(SourceFailure):
    """No answer: route, refusal, time-out, or a transfer that broke off."""


class DnsFailed(SourceFailure):
    """The name of the hub, or of the proxy before it, leads to no address."""


class TlsFailed(SourceFailure):
    """Its certificate is not trusted here, or no encrypted connection came about."""


class TooSlow(SourceFailure):
    """A transfer that all but stopped, again and again."""


class HubError(SourceFailure):
    """An answer of 5xx, or one that makes no sense."""


class Throttled(SourceFailure):
    """429 for longer than we are willing to wait."""


class AuthFailed(SourceFailure):
    """401 or 403, a proxy's 407, or a token that cannot be read where it should be."""


class GatedRepo(SourceFailure):
    """The hub gives the files only to people who have accepted the repository's terms."""


class NotFound(SourceFailure):
    """No such repository, revision or file."""


class ContentFailure(Recoverable):
    """What arrived is not what was published."""


class ChecksumMismatch(ContentFailure):
    """The bytes differ from the published digest."""


class Incomplete(ContentFailure):
    """Files are missing, short, or could not be read or written for a cause that has no reason of its own."""


class StorageFailure(Recoverable):
    """The volume refuses to be written."""


class DiskFull(StorageFailure):
    """No space, or not enough for what is about to be written."""


class ReadOnlyVolume(StorageFailure):
    """Mounted read-only."""


class PermissionDenied(StorageFailure):
    """Owned by somebody else."""


class PathTaken(StorageFailure):
    """Files that are not the store's lie where the variant belongs."""


class SourceMissing(Recoverable):
    """What is to be converted is not in the store."""


class LibraryMissing(Recoverable):
    """A Python package or a tool that the work needs is not installed."""


class ConversionFailed(Recoverable):
    """The conversion, or the check that ends it, did not succeed."""


class UnusableSample(Recoverable):
    """A clip to validate with cannot be heard, or is too long; its owner may mend it where it is."""


class ValidationFailed(Recoverable):
    """An engine did not load the variant or did not transcribe: it crashed, hung, or found no more memory."""


def from_os_error(error: OSError, path: Path) -> Recoverable:
    """The named failure behind an operating system's error while writing or reading `path`."""
    where = error.filename or path
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return DiskFull(
                f"no space left writing {where}: make the volume larger or remove variants no longer needed"
            )
        case errno.EROFS:
            return ReadOnlyVolume(f"{where} is on a read-only volume: mount it writable for the Jobs that fill it")
        case errno.EACCES | errno.EPERM:
            return PermissionDenied(
                f"not allowed to write {where}: the volume must be writable for this user (fsGroup)"
            )
        case _:
            return Incomplete(f"{where}: {error.strerror or error}: check the volume, then run the same command again")
