"""Names inside the store: one visible name per variant, and hidden ones beside it for what is not for readers.

    base/whisper-tiny.en            → .whisper-tiny.en@0123456789ab             format pytorch
    onnx/whisper-tiny.en/int8       → .int8@0123456789ab                        openvino and ctranslate2 likewise
    ggml/ggml-tiny.en-q5_0.bin      → .ggml-tiny.en-q5_0.bin@0123456789ab/…     a file, as users of whisper.cpp know it
    ggml/ggml-tiny.en-encoder.mlmodelc    likewise                              coreml: a folder beside that file
    phenome/vad/silero              → .silero@0123456789ab                      the models around transcription
    onnx/whisper-tiny.en/.int8+making-…                                         being written, resumable
    onnx/whisper-tiny.en/.int8+writer                                           who is writing
    onnx/whisper-tiny.en/.int8@0123456789ab.2                                   the same again, the first being damaged

The visible name is a relative link to an immutable folder named after its content, or to the one file in it, so that a
new revision goes beside the old one and the pointer moves in one step, wherever the volume is mounted. No model's name
can hold '@' or '+', so what is hidden belongs to exactly one variant.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from whisper_models.artifact import MODEL_NAME, OFFERED, Format, Precision, Variant
from whisper_models.catalogue import PREFIX
from whisper_models.errors import UnknownModel

MANIFEST = "manifest.json"
BASE = "base"
AUXILIARIES = "phenome"
GGML_FILE = "ggml-{}.bin"
COREML_FOLDER = "ggml-{}-encoder.mlmodelc"
"""What whisper.cpp looks for beside a GGML file, once it has taken `.bin` and `-q5_0` off its name."""
QUANTISED = tuple(f"-{precision}" for precision in OFFERED[Format.GGML] if precision is not Precision.FP16)


def location(variant: Variant) -> PurePosixPath:
    """Where a variant is, relative to the root.

    Raises:
        UnknownModel: its name could lead elsewhere, or be taken for another variant's.
    """
    if variant.format is Format.AUXILIARY:
        kind, _, name = variant.model.partition("/")
        return PurePosixPath(AUXILIARIES, _plain(kind), _plain(name))
    folder = PREFIX + _plain(variant.model)
    match variant.format:
        case Format.PYTORCH:
            return PurePosixPath(BASE, folder)
        case Format.GGML | Format.COREML:
            return PurePosixPath(Format.GGML, model_file(variant))
        case _:
            return PurePosixPath(variant.format, folder, variant.precision)


def model_file(variant: Variant) -> str:
    """What whisper.cpp calls a variant: a GGML file, without a suffix where nothing is quantised, or CoreML's folder.

    Raises:
        ValueError: the variant's format is a folder of files.
    """
    if variant.format is Format.COREML:
        return COREML_FOLDER.format(_plain(variant.model))
    if variant.format is not Format.GGML:
        raise ValueError(f"{variant} is a folder of files")
    quantised = "" if variant.precision is Precision.FP16 else f"-{variant.precision}"
    return GGML_FILE.format(_plain(variant.model) + quantised)


def locations(root: Path) -> list[PurePosixPath]:
    """Every visible name below a root that may be a variant's."""
    found = [*root.glob(f"{BASE}/{PREFIX}*"), *root.glob(f"{Format.GGML}/{GGML_FILE.format('*')}")]
    found += root.glob(f"{Format.GGML}/{COREML_FOLDER.format('*')}")
    found += root.glob(f"{AUXILIARIES}/*/*")
    for form in (Format.ONNX, Format.OPENVINO, Format.CTRANSLATE2):  # not by full name: links that lead nowhere count
        found += (path for path in root.glob(f"{form}/{PREFIX}*/*") if path.name in list(Precision))
    inside = (PurePosixPath(path.relative_to(root)) for path in found)
    return sorted(path for path in inside if not any(part.startswith(".") for part in path.parts))


def variant_at(place: PurePosixPath) -> Variant:
    """Which variant belongs at one of `locations`, by its name alone, whatever lies there."""
    top, name = place.parts[0], place.name
    if top == BASE:
        return Variant.base(name.removeprefix(PREFIX))
    if top == AUXILIARIES:
        return Variant(str(place.relative_to(AUXILIARIES)), Format.AUXILIARY, Precision.STORED)
    if top != Format.GGML:
        return Variant(place.parts[1].removeprefix(PREFIX), Format(top), Precision(name))
    if coreml := _between(COREML_FOLDER, name):
        return Variant(coreml, Format.COREML, Precision.FP16)
    model = _between(GGML_FILE, name)
    quantised = next((suffix for suffix in QUANTISED if model.endswith(suffix)), "")
    return Variant(model.removesuffix(quantised), Format.GGML, Precision(quantised[1:] or Precision.FP16))


def _between(pattern: str, name: str) -> str:
    """What stands for `{}` in a name of that pattern, or nothing."""
    front, _, end = pattern.partition("{}")
    fits = name.startswith(front) and name.endswith(end)
    return name.removeprefix(front).removesuffix(end) if fits else ""


@dataclass(frozen=True, slots=True)
class Place:
    """One visible name and all that hides behind it."""

    root: Path
    location: PurePosixPath

    @property
    def visible(self) -> Path:
        """The name that readers use."""
        return self.root / self.location

    @property
    def is_inside(self) -> bool:
        """The visible name leads to what whisper.cpp opens, and the manifest lies beside that."""
        return self.location.parts[0] == Format.GGML

    def folder(self) -> Path:
        """Where the visible name leads now, whether there is anything or not."""
        led_to = Path(os.path.realpath(self.visible))  # unlike `resolve`, it takes a link to itself for a name
        return led_to.parent if self.is_inside and self.visible.is_symlink() else led_to

    def target(self, folder: Path) -> PurePosixPath:
        """What the visible name has to say to lead to `folder`."""
        return PurePosixPath(folder.name, self.visible.name) if self.is_inside else PurePosixPath(folder.name)

    def immutable(self, digest: str, turn: int = 1) -> Path:
        """The folder that a variant with this digest lies in; with another `turn` where that one is damaged."""
        again = f".{turn}" if turn > 1 else ""
        return self._hidden(f"@{_short(digest)}{again}")

    def all_immutable(self, digest: str = "") -> list[Path]:
        """Every folder that holds or held this variant; with a digest, those of that content."""
        return self._all_hidden(rf"@{_short(digest) or '[0-9a-f]{12}'}(\.\d+)?")

    def making(self, key: str) -> Path:
        """Where a variant is put together; `key` names what it is made from, so that only like continues like."""
        return self._hidden(f"+making-{hashlib.sha256(key.encode()).hexdigest()[:12]}")

    def all_making(self) -> list[Path]:
        """Every unfinished folder of this variant, of whatever source."""
        return self._all_hidden(r"\+making-[0-9a-f]{12}")

    @property
    def writer(self) -> Path:
        """The folder that its one writer holds."""
        return self._hidden("+writer")

    @property
    def pointer(self) -> Path:
        """The new link before it takes the visible name."""
        return self._hidden("+pointer")

    def _hidden(self, what: str) -> Path:
        return self.visible.with_name(f".{self.visible.name}{what}")

    def _all_hidden(self, pattern: str) -> list[Path]:
        wanted = re.compile(re.escape(f".{self.visible.name}") + pattern)
        try:
            return sorted(path for path in self.visible.parent.iterdir() if wanted.fullmatch(path.name))
        except (FileNotFoundError, NotADirectoryError):
            return []


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _plain(name: str) -> str:
    if not MODEL_NAME.fullmatch(name):
        raise UnknownModel(f"{name!r} cannot be a model's name: use lower-case letters, digits, '.', '-' or '_'")
    if name.endswith(QUANTISED):
        raise UnknownModel(
            f"{name!r} cannot be a model's name: it ends like the file of a quantised one; call it otherwise"
        )
    return name
