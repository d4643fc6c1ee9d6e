"""`whisper-models list`: what is there, and what could be."""

from __future__ import annotations

import argparse

from whisper_models.arguments import CONVERTED, add_store
from whisper_models.artifact import Manifest
from whisper_models.catalogue import AUXILIARIES, CATALOGUE, AuxiliaryEntry, CatalogueEntry
from whisper_models.commands.report import say, size, table, warn
from whisper_models.outcome import Exit, Ready, as_json
from whisper_models.store import UnifiedModelManager

NAME = "list"
SAYS = "list the variants that are there, or with --catalogue what can be downloaded"
EXAMPLES = """\
  whisper-models list
  whisper-models list --json | jq -r 'select(.similarity != null) | .path'
  whisper-models list --catalogue

The similarity is that of a variant's transcripts to those of FP32 ONNX of the same
weights, as `validate` measured it."""
HEADINGS = ("MODEL", "FORMAT", "PRECISION", "SIZE", "SIMILARITY", "VALIDATED", "PATH")
CATALOGUE_HEADINGS = ("MODEL", "SIZE", "LICENCE", "GATED", "REPOSITORY", "ABOUT")


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    command.add_argument("--catalogue", action="store_true", help="what can be downloaded by name instead")


def execute(arguments: argparse.Namespace) -> Exit:
    """One line for each."""
    if arguments.catalogue:
        _tell_catalogue(json_lines=arguments.json)
        return Exit.DONE
    store = UnifiedModelManager(arguments.root)
    found, lost = store.survey()
    for variant, sentence in lost.items():
        warn(f"{variant} is left out: {sentence}; make it again, which mends it, or remove it")
    if arguments.json:
        for manifest in found:
            say(as_json(Ready.of(manifest, store.location(manifest.variant))))
    elif found:
        rows = [_row(manifest, str(arguments.root / store.location(manifest.variant))) for manifest in found]
        say("\n".join(table([HEADINGS, *rows], right={3, 4})))
    elif not lost:
        warn(f"{arguments.root} has no models: `whisper-models download --models base` fetches one")
    return Exit.DONE


def _row(manifest: Manifest, path: str) -> tuple[str, ...]:
    found = manifest.validation
    similarity = f"{found.similarity:.3f}" if found else "-"
    validated = "-" if manifest.format not in CONVERTED else "no"
    if found:
        validated = "yes" if found.passed else f"below {found.threshold:g}"
    return (manifest.model, manifest.format, manifest.precision, size(manifest.size_bytes), similarity, validated, path)


def _tell_catalogue(*, json_lines: bool) -> None:
    if json_lines:
        for one in (*CATALOGUE.values(), *AUXILIARIES.values()):
            say(one.model_dump_json())
        return
    rows = [_offer(model, gated=False) for model in CATALOGUE.values()]
    rows += [_offer(auxiliary, gated=auxiliary.gated) for auxiliary in AUXILIARIES.values()]
    say("\n".join(table([CATALOGUE_HEADINGS, *rows], right={1})))


def _offer(entry: CatalogueEntry | AuxiliaryEntry, *, gated: bool) -> tuple[str, ...]:
    return (entry.name, size(entry.size_bytes), entry.licence, "yes" if gated else "no", entry.repo, entry.about)
