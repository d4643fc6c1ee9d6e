"""Variants as somebody published them ready-made: which files they consist of, and whether they are what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from whisper_models.artifact import Format, Precision, Variant
from whisper_models.catalogue import CATALOGUE, PublishedFile
from whisper_models.download.offers import Choose
from whisper_models.download.precisions import precision_of
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
    found = precision_of(folder, variant)
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
