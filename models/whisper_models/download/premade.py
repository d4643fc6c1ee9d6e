"""Variants as somebody published them ready-made: which files they consist of, and whether they are what they say."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from whisper_models.artifact import Format, Precision, Variant
from whisper_models.catalogue import CATALOGUE, PublishedFile
from whisper_models.download.offers import Choose
from whisper_models.download.selection import RemoteFile
from whisper_models.errors import NotFound, UnsupportedCheckpoint
from whisper_models.store.layout import model_file

IR = tuple(
    f"openvino_{part}.{kind}"
    for part in ("tokenizer", "detokenizer", "decoder_model", "encoder_model")
    for kind in ("xml", "bin")
)
NEEDED: Mapping[Format, tuple[str, ...]] = {
    Format.OPENVINO: ("config.json", "generation_config.json", "preprocessor_config.json", *IR),
    Format.CTRANSLATE2: ("config.json", "tokenizer.json", "model.bin"),
}
WELCOME: Mapping[Format, tuple[str, ...]] = {
    Format.OPENVINO: (
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "merges.txt",
        "normalizer.json",
    ),
    Format.CTRANSLATE2: ("preprocessor_config.json", "vocabulary.json", "vocabulary.txt"),
}
GGML_MAGIC, GGML_NUMBERS = b"lmgg", 11
GGML_TYPES = {
    1: Precision.FP16,
    2: Precision.Q4_0,
    3: Precision.Q4_1,
    7: Precision.Q8_0,
    8: Precision.Q5_0,
    9: Precision.Q5_1,
}
"""whisper.cpp's numbers for how the matrices are kept; with a thousand for each version of the packing."""


def choosing(variant: Variant) -> Choose:
    """Which files of a source are the variant: those that the catalogue lists, elsewhere those of the usual names."""
    return partial(_choose, variant)


def chosen(files: Mapping[str, RemoteFile], wanted: tuple[PublishedFile, ...], repo: str) -> list[RemoteFile]:
    """Exactly these, under the names that they get in the store.

    Raises:
        NotFound: naming what is missing.
    """
    missing = [file.path for file in wanted if file.path not in files]
    if missing:
        raise NotFound(f"{repo} has no {', '.join(missing[:3])}: check the repository and the revision")
    found = [replace(files[file.path], stored_as=file.name) for file in wanted]
    return sorted(found, key=lambda file: file.size)


def check(folder: Path, variant: Variant) -> None:
    """Refuse files that are another variant than they were taken for.

    Raises:
        UnsupportedCheckpoint: with what they are.
    """
    found: object = variant.precision
    match variant.format:
        case Format.GGML:
            found = _ggml_precision(folder / model_file(variant))
        case Format.CTRANSLATE2:
            found = _ctranslate2_precision(folder / "model.bin")
        case _:
            pass
    if found != variant.precision:
        raise UnsupportedCheckpoint(
            f"what was published as {variant} is {found or 'no such model'}: convert it from the checkpoint instead"
        )


def _choose(variant: Variant, repo: str, files: Mapping[str, RemoteFile]) -> list[RemoteFile]:
    entry = CATALOGUE.get(variant.model)
    published = entry.published(variant.format, variant.precision) if entry else None
    if published and published.repo == repo:
        return chosen(files, published.files, repo)
    if variant.format is Format.GGML:
        return [_ggml_file(variant, repo, files)]
    return _folder_files(variant, repo, files)


def _ggml_file(variant: Variant, repo: str, files: Mapping[str, RemoteFile]) -> RemoteFile:
    name = model_file(variant)
    suffix = "" if variant.precision is Precision.FP16 else f"-{variant.precision}"
    for candidate in (name, f"ggml-model{suffix}.bin", f"ggml-{variant.model}-{variant.precision}.bin"):
        if candidate in files:
            return replace(files[candidate], stored_as=name)
    raise NotFound(f"{repo} has no {name}: convert it from the checkpoint instead")


def _folder_files(variant: Variant, repo: str, files: Mapping[str, RemoteFile]) -> list[RemoteFile]:
    if variant.format not in NEEDED:
        raise NotFound(f"{variant.format} is published nowhere as it is read here: convert it from the checkpoint")
    names = (*NEEDED[variant.format], *WELCOME[variant.format])
    missing = [name for name in NEEDED[variant.format] if name not in files]
    if variant.format is Format.CTRANSLATE2 and not {"vocabulary.json", "vocabulary.txt"} & set(files):
        missing.append("vocabulary.json")
    if missing:
        raise NotFound(
            f"{repo} has no {', '.join(missing[:3])}, which {variant} needs: convert it from the checkpoint instead"
        )
    return sorted((files[name] for name in names if name in files), key=lambda file: file.size)


def _ggml_precision(path: Path) -> Precision | None:
    header = struct.Struct(f"<4s{GGML_NUMBERS}i")
    with path.open("rb") as file:
        start = file.read(header.size)
    if len(start) < header.size or not start.startswith(GGML_MAGIC):
        return None
    return GGML_TYPES.get(header.unpack(start)[-1] % 1000)


def _ctranslate2_precision(path: Path) -> Precision | None:
    from whisper_models.convert.ctranslate2.model_file import contents  # noqa: PLC0415 - only for this format

    try:
        kept = {stored.dtype for stored in contents(path).variables.values() if stored.shape}
    except ValueError:
        return None
    if "int8" in kept:
        return Precision.INT8_FLOAT16 if "float16" in kept else Precision.INT8
    return Precision.FP16 if "float16" in kept else None
