"""What must be true of a GGML file before it may be called one."""

from __future__ import annotations

from pathlib import Path

from whisper_models.convert.checkpoint import WhisperCheckpoint
from whisper_models.convert.ggml.reader import Contents, contents
from whisper_models.convert.ggml.tensors import placed
from whisper_models.convert.ggml.types import FILE_TYPES, FileType
from whisper_models.convert.ggml.vocabulary import ORDINARY
from whisper_models.convert.ggml.writer import header
from whisper_models.convert.mel import mel_filters
from whisper_models.errors import ConversionFailed

_BY_NUMBER = {file_type.number: file_type for file_type in FILE_TYPES.values()}


def check(target: Path, checkpoint: WhisperCheckpoint) -> None:
    """Read the file back: its dimensions, filters and vocabulary, and every tensor in its shape and type.

    Raises:
        ConversionFailed: naming what is wrong with it.
    """
    found = contents(target)
    file_type = _BY_NUMBER.get(found.header[-1])
    if file_type is None or found.header != header(checkpoint.dimensions, file_type):
        raise ConversionFailed(f"{target.name} begins with {found.header}: report this as a defect")
    _require_front(target, found, checkpoint)
    _require_tensors(target, found, checkpoint, file_type)


def _require_front(target: Path, found: Contents, checkpoint: WhisperCheckpoint) -> None:
    sizes = checkpoint.dimensions
    if found.filters != mel_filters(sizes.num_mel_bins).tobytes():
        raise ConversionFailed(f"{target.name} has other mel filters than Whisper's: report this as a defect")
    if not 0 < found.tokens <= min(sizes.vocab_size, ORDINARY):
        raise ConversionFailed(f"{target.name} has a vocabulary of {found.tokens}: report this as a defect")


def _require_tensors(target: Path, found: Contents, checkpoint: WhisperCheckpoint, file_type: FileType) -> None:
    wanted = {tensor.name: (tensor.shape, tensor.kind) for tensor in placed(checkpoint, file_type.matrices)}
    stored = {name: (tensor.shape, tensor.kind) for name, tensor in found.tensors.items()}
    odd = sorted(name for name in wanted.keys() | stored.keys() if wanted.get(name) != stored.get(name))
    if odd:
        name = odd[0]
        raise ConversionFailed(
            f"{target.name} has {name} as {stored.get(name)} instead of {wanted.get(name)}: report this as a defect"
        )
