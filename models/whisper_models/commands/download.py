"""`whisper-models download`: checkpoints and auxiliary models from a source, and what is to be made of them."""

from __future__ import annotations

import argparse
import shutil
from functools import partial

from whisper_models.arguments import (
    ALL,
    CONVERTED,
    DEFAULTS,
    add_job,
    add_models,
    add_quiet,
    add_store,
    add_variant,
    auxiliaries,
    default,
    formats,
    names,
    variant,
)
from whisper_models.artifact import Format, Manifest, Precision, Variant
from whisper_models.catalogue import AUXILIARIES, CATALOGUE
from whisper_models.commands.report import size, warn
from whisper_models.commands.source import add_source, patience_of, premade_source_of, require_one_way, source_of
from whisper_models.commands.tasks import Task, converted, converting, finished, making, run
from whisper_models.errors import (
    AuthFailed,
    ContentFailure,
    GatedRepo,
    NotFound,
    SourceFailure,
    UnsupportedCheckpoint,
)
from whisper_models.outcome import Exit, Ready
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

NOT_TO_BE_HAD = (SourceFailure, ContentFailure, UnsupportedCheckpoint)
"""Why a ready-made variant is not taken: the hub, the way to it, what it gives. The checkpoint in the store will do."""
SAID_NO = (NotFound, AuthFailed, GatedRepo, ContentFailure, UnsupportedCheckpoint)
"""The source was asked, and has none for us."""
CONVERTED_BEFORE = "it was converted here before, and what is there stays"

NAME = "download"
SAYS = "fetch models: resumed, verified, mended if damaged; with --formats, made into those too"
EXAMPLES = f"""\
  whisper-models download --models base,small
  whisper-models download --models base --formats openvino,ggml
  whisper-models download --auxiliary vad,diarization --token-file ~/token
  whisper-models download --all --formats all --root /srv/models
  whisper-models download --models base --formats ctranslate2 --no-ready-made
  whisper-models download --models base --format ggml --precision q5_1
  whisper-models download --models our-dialect --repo our-team/whisper-dialect --revision main
  whisper-models download --models our-dialect --url https://example.org/dialect.tar --sha256 ...
  whisper-models download --models our-dialect --from ~/checkpoint

--formats fetches the checkpoint, then takes each format ready-made where the source has it, else converts it, in these
precisions: {DEFAULTS}; with --no-ready-made it converts
each, and anew what was taken before. --format fetches one ready-made variant and nothing else; with --or-convert it is
converted from the checkpoint in the store where it is not to be had.
Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""


def declare(command: argparse.ArgumentParser) -> None:
    """The options."""
    add_store(command)
    add_quiet(command)
    command.add_argument(
        "--all", action="store_true", help="every Whisper model of the catalogue (see `list --catalogue`)"
    )
    add_models(command, help="of the catalogue, or others with a source of their own; commas do as well as spaces")
    _add_words(command, "--auxiliary", "NAME", f"models around transcription, by kind or name: {', '.join(_kinds())}")
    _add_words(command, "--formats", "FORMAT", f"also make these: {', '.join(CONVERTED)} or {ALL}")
    add_variant(command, CONVERTED, absent="one ready-made variant instead of the checkpoint")
    command.add_argument(
        "--or-convert", action="store_true", help="with --format: convert the checkpoint in the store where need be"
    )
    command.add_argument(
        "--no-ready-made", action="store_true", help="with --formats: take none as others made it, convert each"
    )
    add_source(command)
    add_job(command)


def execute(arguments: argparse.Namespace) -> Exit:
    """Fetch each model, then make its formats."""
    store = UnifiedModelManager(arguments.root)
    models, around = _models(arguments)
    require_one_way(arguments, [*models, *around])
    if not arguments.json and not arguments.quiet:
        _announce(store, models, around)
    tasks = [task for name in models for task in _tasks(store, name, arguments)]
    return run(arguments, tasks + [_fetching(store, name, arguments) for name in around])


def _models(arguments: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Whisper models, and those around transcription."""
    usage: argparse.ArgumentParser = arguments.usage
    given = names(arguments.models)
    models = [name for name in given if "/" not in name]
    if arguments.all and models:
        usage.error("--all and --models exclude each other")
    if not arguments.all and not given and not arguments.auxiliary:
        usage.error("say what to fetch: --models NAME[,NAME...], --auxiliary NAME[,NAME...] or --all")
    if arguments.format and arguments.formats:
        usage.error("--format fetches one ready-made variant, --formats makes several: give one of them")
    if arguments.precision and not arguments.format:
        usage.error("--precision belongs to --format: which format?")
    if arguments.or_convert and not arguments.format:
        usage.error("--or-convert belongs to --format: which format? --formats converts anyway")
    if arguments.no_ready_made and not arguments.formats:
        usage.error("--no-ready-made belongs to --formats: which formats? `convert` makes them of what is in the store")
    around = auxiliaries([*arguments.auxiliary, *(name for name in given if "/" in name)])
    return list(CATALOGUE) if arguments.all else models, around


def _tasks(store: UnifiedModelManager, name: str, arguments: argparse.Namespace) -> list[Task]:
    if arguments.format:
        wanted = variant(name, arguments.format, arguments.precision, arguments.usage)
        if arguments.or_convert:
            return [_having(store, wanted, arguments)]
        return [making(store, wanted, partial(_take, store, wanted, arguments))]
    base = Variant.base(name)
    made = [default(name, form) for form in formats(arguments.formats, arguments.usage)]
    if arguments.no_ready_made:
        return [_fetching(store, name, arguments), *(converting(store, one, base) for one in made)]
    return [_fetching(store, name, arguments), *(_having(store, one, arguments, base) for one in made)]


def _fetching(store: UnifiedModelManager, name: str, arguments: argparse.Namespace) -> Task:
    def fetch(progress: Progress) -> Manifest:
        from whisper_models.download import download, download_auxiliary  # noqa: PLC0415 - alone needs HTTP

        take = download_auxiliary if "/" in name else download
        return take(store, name, source_of(name, arguments), progress, patience_of(arguments))

    wanted = Variant(name, Format.AUXILIARY, Precision.STORED) if "/" in name else Variant.base(name)
    return making(store, wanted, fetch)


def _take(store: UnifiedModelManager, wanted: Variant, arguments: argparse.Namespace, progress: Progress) -> Manifest:
    from whisper_models.download import download_premade  # noqa: PLC0415 - alone needs HTTP

    source = premade_source_of(wanted, arguments)
    if source is None:
        raise NotFound(f"the catalogue knows nobody who publishes {wanted}: `--formats {wanted.format}` converts it")
    return download_premade(store, wanted, source, progress, patience_of(arguments))


def _having(
    store: UnifiedModelManager, wanted: Variant, arguments: argparse.Namespace, after: Variant | None = None
) -> Task:
    return Task(wanted, partial(_take_or_convert, store, wanted, arguments), after)


def _take_or_convert(
    store: UnifiedModelManager, wanted: Variant, arguments: argparse.Namespace, progress: Progress
) -> Ready:
    """Ready-made where it is published and can be had; what was converted before is not exchanged for that."""
    there, why = store.complete(wanted), None
    try:
        if premade_source_of(wanted, arguments):
            theirs = _in_other_store(store, wanted, arguments)
            if there is None or there.made_from is None or (theirs and theirs.digest == there.digest):
                manifest = _take(store, wanted, arguments, progress)
                return finished(store, manifest, taken_from=str(arguments.folder) if arguments.folder else None)
            why = CONVERTED_BEFORE
    except NOT_TO_BE_HAD as failure:
        if there is not None and there.made_from is None and not isinstance(failure, SAID_NO):
            return finished(store, there)  # the source cannot be asked now: what was taken of it before stays
        why = failure.message
        if not arguments.quiet:
            warn(f"{wanted} is converted here, since it is not to be had ready-made: {why}")
    return finished(store, converted(store, wanted, progress), why)


def _in_other_store(store: UnifiedModelManager, wanted: Variant, arguments: argparse.Namespace) -> Manifest | None:
    """The variant as the store that `--from` names has it.

    Raises:
        UnsupportedCheckpoint: it was converted there from another checkpoint than the one that is here.
    """
    theirs = UnifiedModelManager(arguments.folder).complete(wanted) if arguments.folder else None
    base = store.complete(Variant.base(wanted.model))
    if theirs and base and theirs.made_from not in (None, base.digest):
        raise UnsupportedCheckpoint(
            f"{arguments.folder} has {wanted} made from another checkpoint of {wanted.model} than the one that is here"
        )
    return theirs


def _announce(store: UnifiedModelManager, models: list[str], around: list[str]) -> None:
    """How much it will be, where it is much."""
    entries = [CATALOGUE[name] for name in models if name in CATALOGUE and not store.manifest(Variant.base(name))]
    if len(models) + len(around) > 1 and entries:
        place = next(folder for folder in (store.root, *store.root.resolve().parents) if folder.exists())
        needed, free = sum(entry.size_bytes for entry in entries), shutil.disk_usage(place).free
        warn(f"{len(entries)} checkpoints to fetch, about {size(needed)}; {size(free)} are free in {place}.")


def _kinds() -> list[str]:
    return list(dict.fromkeys(name.partition("/")[0] for name in AUXILIARIES))


def _add_words(command: argparse.ArgumentParser, option: str, word: str, says: str) -> None:
    command.add_argument(option, action="extend", nargs="+", default=[], metavar=word, help=says)
