"""Names inside the store: one visible name per variant, and hidden ones beside it for what is not for readers.

    base/whisper-tiny.en            → .whisper-tiny.en-0123456789ab      format pytorch
    onnx/whisper-tiny.en/int8       → .int8-0123456789ab                 all other formats
    onnx/whisper-tiny.en/.int8.making-…                                  being written, resumable
    onnx/whisper-tiny.en/.int8.writer                                    who is writing
    onnx/whisper-tiny.en/.int8-0123456789ab.2                            the same content again, the first being damaged

The visible name is a relative link to an immutable folder named after its content, so that a new revision goes beside
the old one and the pointer moves in one step, wherever the volume is mounted.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from whisper_models.artifact import MODEL_NAME, Format, Precision, Variant
from whisper_models.catalogue import PREFIX
from whisper_models.errors import UnknownModel

MANIFEST = "manifest.json"
BASE = "base"


def location(variant: Variant) -> PurePosixPath:
    """Where a variant is, relative to the root."""
    if not MODEL_NAME.fullmatch(variant.model):
        raise UnknownModel(
            f"{variant.model!r} cannot be a model's name: use lower-case letters, digits, '.', '-' or '_'"
        )
    folder = PREFIX + variant.model
    if variant.format is Format.PYTORCH:
        return PurePosixPath(BASE, folder)
    return PurePosixPath(variant.format, folder, variant.precision)


def locations(root: Path) -> list[Path]:
    """Every visible name that may be a variant's."""
    patterns = [f"{BASE}/{PREFIX}*"]
    patterns += [
        f"{form}/{PREFIX}*/{precision}" for form in Format if form is not Format.PYTORCH for precision in Precision
    ]
    return sorted(path for pattern in patterns for path in root.glob(pattern))


def immutable(visible: Path, digest: str, turn: int = 1) -> Path:
    """The folder that a variant with this digest lies in; with another `turn` where that one is damaged."""
    again = f".{turn}" if turn > 1 else ""
    return visible.with_name(f".{visible.name}-{digest.removeprefix('sha256:')[:12]}{again}")


def all_immutable(visible: Path, digest: str = "") -> list[Path]:
    """Every folder that holds or held this variant; with a digest, those of that content."""
    content = digest.removeprefix("sha256:")[:12] or "[0-9a-f]" * 12
    return sorted(visible.parent.glob(f".{visible.name}-{content}*"))


def making(visible: Path, key: str) -> Path:
    """Where a variant is put together; `key` names what it is made from, so that only like continues like."""
    return visible.with_name(f".{visible.name}.making-{key[:12]}")


def all_making(visible: Path) -> list[Path]:
    """Every unfinished folder of this variant, of whatever source."""
    return sorted(visible.parent.glob(f".{visible.name}.making-*"))


def writer(visible: Path) -> Path:
    """The folder that its one writer holds."""
    return visible.with_name(f".{visible.name}.writer")


def pointer(visible: Path) -> Path:
    """The new link before it takes the visible name."""
    return visible.with_name(f".{visible.name}.pointer")
