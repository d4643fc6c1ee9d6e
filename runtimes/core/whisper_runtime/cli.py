"""The command line of every runtime: `serve`, and `transcribe` for files at hand.

A runtime's own command is this with its name, its format, its defaults and its engine.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic

from whisper_models.artifact import Format
from whisper_models.errors import ModelFailure
from whisper_models.store.home import own_store

from whisper_runtime.api.app import create_app
from whisper_runtime.artifacts import find_artifact
from whisper_runtime.engine import Artifact, Engine
from whisper_runtime.files import add_file_flags, refuse_contradiction, transcribe_files
from whisper_runtime.serving.ending import leave_word
from whisper_runtime.serving.logs import log_json
from whisper_runtime.serving.server import serve
from whisper_runtime.settings import S, Settings, add_flags, read_settings

_ENGINE_FLAGS = ("models", "model", "precision", "allow_unverified", "threads")


@dataclass(frozen=True, slots=True)
class Action(Generic[S]):
    """Something that only one runtime's command does: with the settings and the model, to an exit status."""

    name: str
    about: str
    work: Callable[[S, Artifact], int]


@dataclass(frozen=True, slots=True)
class Command(Generic[S]):
    """What tells one runtime's command from another's."""

    name: str
    about: str
    form: Format
    settings: type[S]
    """The shared settings, or these and some of the runtime's own."""
    defaults: Mapping[str, Any]
    """Settings that differ from the shared defaults."""
    engine: Callable[[S], Engine]
    actions: tuple[Action[S], ...] = ()


def run(command: Command[S], arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit status: 0 done, 1 failed, 2 the arguments are wrong."""
    command = replace(command, defaults={"models": own_store(os.environ), **command.defaults})
    parser = _parser(command)
    flags = parser.parse_args(arguments)
    try:
        if flags.action == "transcribe":
            refuse_contradiction(flags)
        settings = read_settings(flags, command.settings, os.environ, command.defaults)
        artifact = _artifact(settings, command.form)
        if flags.action == "transcribe":
            return transcribe_files(command.name, command.engine(settings), settings, artifact, flags)
        for action in command.actions:
            if flags.action == action.name:
                return action.work(settings, artifact)
    except ValueError as error:
        print(f"{command.name}: {error}", file=sys.stderr)
        return 2
    except ModelFailure as failure:
        print(f"{command.name}: {failure}", file=sys.stderr)
        leave_word(settings.termination_log, f"{failure.reason}: {failure}")
        return 1
    log_json()
    return serve(create_app(command.engine(settings), artifact, settings))


def _artifact(settings: Settings, form: Format) -> Artifact:
    allowed = settings.allow_unverified
    return find_artifact(settings.models, settings.model, form, settings.precision, allow_unverified=allowed)


def _parser(command: Command[S]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(command.name, description=command.about)
    names = "|".join(("serve", "transcribe", *(action.name for action in command.actions)))
    actions = parser.add_subparsers(dest="action", required=True, metavar=names)
    kind, own = command.settings, [name for name in command.settings.model_fields if name not in Settings.model_fields]
    about = "answer requests over HTTP until SIGTERM, then finish what is in flight and exit"
    add_flags(actions.add_parser("serve", help=about, description=about), kind, command.defaults)
    about = "print the text of audio files"
    files = actions.add_parser("transcribe", help=about, description=about)
    add_file_flags(files)
    add_flags(files, kind, command.defaults, only=(*_ENGINE_FLAGS, *own))
    for action in command.actions:
        described = actions.add_parser(action.name, help=action.about, description=action.about)
        add_flags(described, kind, command.defaults, only=(*_ENGINE_FLAGS, *own))
    return parser
