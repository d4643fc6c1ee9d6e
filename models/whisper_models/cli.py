"""`whisper-models`: the same commands on a laptop and as Jobs in a cluster."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from whisper_models.arguments import parse
from whisper_models.artifact import Format, Manifest, Precision, Variant
from whisper_models.catalogue import canonical, lookup
from whisper_models.errors import AuthFailed, ChecksumMismatch, Incomplete, ModelFailure, PermissionDenied
from whisper_models.narration import narrated
from whisper_models.outcome import Failed, Outcome, Ready, as_json, leave
from whisper_models.progress import Progress, Stage
from whisper_models.progress_server import serving
from whisper_models.store import UnifiedModelManager

OK, FAILED = 0, 1


class Stopped(BaseException):
    """A signal asked for the end; raised in the main thread, so that everything open is closed on the way."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}; what has been fetched is kept: run it again")
        self.exit_code = 128 + number


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    parsed = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        code = COMMANDS[parsed.command](parsed)
    except Stopped as stopped:
        print(f"Stopped: {stopped}", file=sys.stderr)
        return stopped.exit_code
    except ModelFailure as failure:
        print(f"{failure.reason}: {failure.message}", file=sys.stderr)
        return FAILED
    return code


def _stop(number: int, _frame: object) -> NoReturn:
    raise Stopped(number)


def _download(arguments: argparse.Namespace) -> int:
    from whisper_models.download import HubSource, download  # noqa: PLC0415 - list and path need no HTTP client

    names = [name for names in arguments.models for name in names.split(",") if name]
    if not names:
        arguments.usage("--models names no model")
    if arguments.repo and len(names) != 1:
        arguments.usage("--repo names the repository of one model: give exactly one with --models")

    def source(name: str) -> HubSource:
        entry = None if arguments.repo else lookup(name)
        repo = arguments.repo or (entry.repo if entry else "")
        revision = arguments.revision or (entry.revision if entry else "main")
        endpoint = {"endpoint": arguments.endpoint.rstrip("/")} if arguments.endpoint else {}
        return HubSource(repo, revision, token=_token(arguments.token_file), **endpoint)

    def fetch(name: str, store: UnifiedModelManager, progress: Progress) -> Manifest:
        return download(store, canonical(name), source(name), progress)

    return _work(arguments, names, fetch)


def _convert(arguments: argparse.Namespace) -> int:
    from whisper_models.convert.job import convert  # noqa: PLC0415 - list and path need neither numpy nor onnx

    def make(name: str, store: UnifiedModelManager, progress: Progress) -> Manifest:
        return convert(
            store, Variant(canonical(name), Format(arguments.format), Precision(arguments.precision)), progress
        )

    return _work(arguments, [arguments.model], make)


def _work(
    arguments: argparse.Namespace,
    names: list[str],
    make: Callable[[str, UnifiedModelManager, Progress], Manifest],
) -> int:
    """Make a variant of each model; one that fails does not keep the others from being made."""
    store, progress = UnifiedModelManager(arguments.root), Progress()
    outcomes: list[Outcome] = []
    with serving(progress, arguments.progress_port), narrated(progress, sys.stderr, quiet=arguments.json):
        for name in names:
            try:
                manifest = make(name, store, progress)
            except ModelFailure as failure:
                outcomes.append(Failed.of(failure, canonical(name)))
            except Stopped as stopped:
                leave(Failed.of(Incomplete(str(stopped)), canonical(name)), arguments.termination_log)
                raise
            else:
                outcomes.append(Ready.of(manifest, store.location(manifest.variant)))
            _tell(outcomes[-1], json_lines=arguments.json)
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    leave((failures or outcomes)[0], arguments.termination_log)
    return FAILED if failures else OK


def _tell(outcome: Outcome, *, json_lines: bool) -> None:
    if json_lines:
        print(as_json(outcome))
    elif isinstance(outcome, Ready):
        print(_line(outcome))
    if isinstance(outcome, Failed):
        print(f"{outcome.reason}: {outcome.message}", file=sys.stderr)


def _list(arguments: argparse.Namespace) -> int:
    store = UnifiedModelManager(arguments.root)
    found = [Ready.of(manifest, store.location(manifest.variant)) for manifest in store.manifests()]
    if arguments.json:
        print(json.dumps([json.loads(as_json(variant)) for variant in found]))
    else:
        for variant in found:
            print(_line(variant))
    return OK


def _path(arguments: argparse.Namespace) -> int:
    form = Format(arguments.format)
    precision = Precision.STORED if form is Format.PYTORCH else Precision(arguments.precision)
    print(UnifiedModelManager(arguments.root).path(Variant(canonical(arguments.model), form, precision)))
    return OK


def _verify(arguments: argparse.Namespace) -> int:
    store, progress = UnifiedModelManager(arguments.root), Progress()
    wanted = {canonical(name) for name in arguments.models}
    manifests = [found for found in store.manifests() if not wanted or found.model in wanted]
    missing = wanted - {found.model for found in manifests}
    if missing:
        raise Incomplete(f"{arguments.root} has no {', '.join(sorted(missing))}: download it first")
    progress.begin(Stage.VERIFYING, sum(found.size_bytes for found in manifests))
    with narrated(progress, sys.stderr, quiet=arguments.json):
        damage = {found.variant: store.damage(found.variant, progress.advance) for found in manifests}
    _tell_verified(damage.items(), json_lines=arguments.json)
    return FAILED if any(damage.values()) else OK


def _tell_verified(damage: Iterable[tuple[Variant, list[str]]], *, json_lines: bool) -> None:
    for variant, problems in damage:
        if json_lines:
            row = {"model": variant.model, "format": variant.format, "precision": variant.precision}
            print(json.dumps({**row, "sound": not problems, "damage": problems}))
        elif not problems:
            print(f"{variant}: sound")
        for problem in problems:
            print(f"{ChecksumMismatch.__name__}: {problem}: make it again, which mends it", file=sys.stderr)


def _line(found: Ready) -> str:
    variant = str(Variant(found.model, found.format, found.precision))
    size = f"{found.size_bytes / 1e6:.0f} MB"
    return f"{variant:<32} {size:>8}  {found.digest[:19]}  {found.revision[:12]}  {found.path}"


def _token(path: Path | None) -> str | None:
    """A token comes from a file only: what is in argv, every user of the machine can read."""
    if path is None:
        return None
    try:
        token = path.read_text().strip()
    except PermissionError as error:
        raise PermissionDenied(f"not allowed to read the token in {path}: check the Secret's mode") from error
    except FileNotFoundError as error:
        message = f"the token file {path} does not exist: put the token there (the Secret's key), or name no file"
        raise AuthFailed(message) from error
    except (OSError, UnicodeDecodeError) as error:
        raise AuthFailed(f"the token file {path} cannot be read ({error}): put the token there as text") from error
    if not (token.isascii() and token.isprintable()) or " " in token:  # a library that refuses it would repeat it
        raise AuthFailed(f"the token file {path} holds more than a token, or none: put the token there, and only it")
    return token or None


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = MappingProxyType(
    {"download": _download, "convert": _convert, "list": _list, "path": _path, "verify": _verify}
)

if __name__ == "__main__":
    sys.exit(main())
