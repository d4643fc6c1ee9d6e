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
from whisper_models.commands.source import add_source, premade_source_of, require_one_way, source_of
from whisper_models.commands.tasks import Task, converted, making, run
from whisper_models.errors import AuthFailed, NotFound, UnsupportedCheckpoint
from whisper_models.outcome import Exit
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

NAME = "download"
SAYS = "fetch models: resumed, verified, mended if damaged; with --formats, made into those too"
EXAMPLES = f"""\
  whisper-models download --models base,small
  whisper-models download --models base --formats openvino,ggml
  whisper-models download --auxiliary vad,diarization --token-file ~/token
  whisper-models download --all --formats all --root /srv/models
  whisper-models download --models base --format ggml --precision q5_1
  whisper-models download --models our-dialect --repo our-team/whisper-dialect --revision main
  whisper-models download --models our-dialect --url https://example.org/dialect.tar --sha256 ...
  whisper-models download --models our-dialect --from ~/checkpoint

--formats fetches the checkpoint, then takes each format ready-made where the source has it, else converts it, in these
precisions: {DEFAULTS}. --format fetches one ready-made variant
and nothing else. Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY."""


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
    around = auxiliaries([*arguments.auxiliary, *(name for name in given if "/" in name)])
    return list(CATALOGUE) if arguments.all else models, around


def _tasks(store: UnifiedModelManager, name: str, arguments: argparse.Namespace) -> list[Task]:
    if arguments.format:
        wanted = variant(name, arguments.format, arguments.precision, arguments.usage)
        return [making(store, wanted, partial(_take, store, wanted, arguments))]
    base = Variant.base(name)
    made = [default(name, form) for form in formats(arguments.formats, arguments.usage)]
    tasks = [making(store, one, partial(_take_or_convert, store, one, arguments), after=base) for one in made]
    return [_fetching(store, name, arguments), *tasks]


def _fetching(store: UnifiedModelManager, name: str, arguments: argparse.Namespace) -> Task:
    def fetch(progress: Progress) -> Manifest:
        from whisper_models.download import download, download_auxiliary  # noqa: PLC0415 - alone needs HTTP

        take = download_auxiliary if "/" in name else download
        return take(store, name, source_of(name, arguments), progress)

    wanted = Variant(name, Format.AUXILIARY, Precision.STORED) if "/" in name else Variant.base(name)
    return making(store, wanted, fetch)


def _take(store: UnifiedModelManager, wanted: Variant, arguments: argparse.Namespace, progress: Progress) -> Manifest:
    from whisper_models.download import download_premade  # noqa: PLC0415 - alone needs HTTP

    source = premade_source_of(wanted, arguments)
    if source is None:
        raise NotFound(f"the catalogue knows nobody who publishes {wanted}: `--formats {wanted.format}` converts it")
    return download_premade(store, wanted, source, progress)


def _take_or_convert(
    store: UnifiedModelManager, wanted: Variant, arguments: argparse.Namespace, progress: Progress
) -> Manifest:
    there = store.complete(wanted)
    if (there is None or there.made_from is None) and premade_source_of(wanted, arguments):
        try:
            return _take(store, wanted, arguments, progress)
        except (NotFound, AuthFailed, UnsupportedCheckpoint) as failure:  # hubs answer 401 for what they do not have
            if not arguments.quiet:
                warn(f"{wanted} is converted here, since it is not to be had ready-made: {failure.message}")
    return converted(store, wanted, progress)


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
