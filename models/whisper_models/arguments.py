"""What several commands can be asked in the same words, and the one look at the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from whisper_models.artifact import OFFERED, Format, Precision, Variant
from whisper_models.catalogue import AUXILIARIES, canonical, lookup_auxiliary
from whisper_models.optimize.targets import TARGETS
from whisper_models.store.home import DEFAULT, own_store

CONVERTED = tuple(form for form in OFFERED if form not in (Format.PYTORCH, Format.AUXILIARY, Format.COREML))
"""The formats that are made from a checkpoint wherever one is."""

DEFAULT_PRECISION: Mapping[Format, Precision] = MappingProxyType(
    {form: precisions[0] for form, precisions in OFFERED.items() if form not in CONVERTED}
    | {choice.format: choice.precision for target in TARGETS.values() for choice in reversed(target.choices)}
)
"""What a format means where no precision is named: what the runtime that reads it serves unless told otherwise."""

DEFAULTS = ", ".join(f"{form} {DEFAULT_PRECISION[form]}" for form in CONVERTED)
PRECISIONS = "; ".join(f"{form}: {', '.join(OFFERED[form])}" for form in CONVERTED)
ALL = "all"
LAST_PORT = 65535
Word = TypeVar("Word", bound=StrEnum)


def add_root(command: argparse.ArgumentParser) -> None:
    """Where the models are."""
    root = os.environ.get("WHISPER_MODELS") or own_store(os.environ)
    says = f"the store (default: $WHISPER_MODELS, else {DEFAULT})"
    command.add_argument("--root", type=_folder, default=root, help=says)


def add_store(command: argparse.ArgumentParser) -> None:
    """Where the models are, and how the command speaks."""
    add_root(command)
    command.add_argument("--json", action="store_true", help="one line of JSON on stdout for each result, nothing else")


def add_quiet(command: argparse.ArgumentParser) -> None:
    """For commands that take their time."""
    command.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")


def add_models(command: argparse.ArgumentParser, *, help: str, required: bool = False) -> None:  # noqa: A002 - argparse's word
    """The models to work on, by name."""
    command.add_argument(
        "--models",
        "--model",
        action="extend",
        nargs="+",
        default=[],
        required=required,
        metavar="NAME",
        help=help,
    )


def add_names(command: argparse.ArgumentParser, *, help: str) -> None:  # noqa: A002 - argparse's word
    """Models by name, in front or behind `--models`; both at once are taken together."""
    command.add_argument("named", nargs="*", metavar="MODEL", help=help)
    add_models(command, help="the same, in another way")


def add_variant(
    command: argparse.ArgumentParser,
    offered: Sequence[Format],
    default: Format | None = None,
    absent: str = "every one when absent",
) -> None:
    """One format in one precision."""
    known = list(dict.fromkeys(precision for form in offered for precision in OFFERED[form]))
    says = f"default: {default}" if default else absent
    command.add_argument(
        "--format", type=_one_of(offered), default=default, metavar="FORMAT", help=f"{', '.join(offered)} ({says})"
    )
    says = f"default: {DEFAULTS}" if default else absent
    command.add_argument("--precision", type=_one_of(known), metavar="PRECISION", help=f"{PRECISIONS} ({says})")


def add_job(command: argparse.ArgumentParser) -> None:
    """What a Job in a cluster is asked besides."""
    job = command.add_argument_group("as a Job")
    job.add_argument("--progress-port", type=_port, metavar="PORT", help="serve GET /progress there while it works")
    job.add_argument("--termination-log", type=Path, metavar="FILE", help="leave the outcome there as a line of JSON")


def names(given: Iterable[str]) -> list[str]:
    """Models as the store calls them, each once, however they were separated."""
    return list(dict.fromkeys(canonical(name) for name in _words(given)))


def formats(given: Iterable[str], usage: argparse.ArgumentParser) -> list[Format]:
    """Formats that are made from a checkpoint; `all` is every one of them."""
    words = _words(given)
    if ALL in words:
        return list(CONVERTED)
    for word in words:
        if word not in CONVERTED:
            usage.error(f"argument --formats: {word!r} is none of {', '.join(CONVERTED)}, {ALL}")
    return list(dict.fromkeys(Format(word) for word in words))


def auxiliaries(given: Iterable[str]) -> list[str]:
    """Models around transcription by their full names; a kind is all of its kind.

    Raises:
        UnknownModel: the catalogue has none of that name or kind.
    """
    found: list[str] = []
    for word in _words(given):
        of_kind = [name for name in AUXILIARIES if word in (ALL, name.partition("/")[0])]
        found += of_kind or [lookup_auxiliary(word).name]
    return list(dict.fromkeys(found))


def default(model: str, form: Format) -> Variant:
    """A format's variant where no precision is named."""
    return Variant(canonical(model), form, DEFAULT_PRECISION[form])


def variant(model: str, form: Format, precision: Precision | None, usage: argparse.ArgumentParser) -> Variant:
    """The variant that the words mean; ends the process with code 2 where there is no such precision."""
    chosen = precision or DEFAULT_PRECISION[form]
    if chosen not in OFFERED[form]:
        usage.error(f"argument --precision: {form} comes in {', '.join(OFFERED[form])}, not in {chosen}")
    return Variant(canonical(model), form, chosen)


def _words(given: Iterable[str]) -> list[str]:
    return [word for words in given for word in words.split(",") if word]


def _one_of(offered: Sequence[Word]) -> Callable[[str], Word]:
    """Reads one of these words; unlike argparse's choices it gives the word itself, not the text that equals it."""

    def read(text: str) -> Word:
        found = next((word for word in offered if word == text), None)
        if found is None:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(offered)}")
        return found

    return read


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # a user without a home, as containers have
        raise argparse.ArgumentTypeError(f"{text}: {error}: name a folder in full") from error


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is none of 0 to {LAST_PORT}")
    return int(text)
