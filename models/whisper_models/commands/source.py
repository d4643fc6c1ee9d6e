"""Where models come from, as options say it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from whisper_models.artifact import Variant
from whisper_models.catalogue import lookup, lookup_auxiliary
from whisper_models.errors import AuthFailed, PermissionDenied
from whisper_models.store import UnifiedModelManager

if TYPE_CHECKING:
    from whisper_models.download import ModelSource, Patience


LONGEST_PATIENCE = 3600.0


def add_source(command: argparse.ArgumentParser) -> None:
    """The options."""
    source = command.add_argument_group("source", "the hub, as the catalogue says, unless one of these names another")
    one = source.add_mutually_exclusive_group()
    one.add_argument("--repo", metavar="NAME", help="repository on the hub (organisation/name) of one model")
    one.add_argument("--url", help="address of one model: a tar archive of its folder, or a GGML file (with --format)")
    one.add_argument("--from", type=Path, dest="folder", metavar="FOLDER", help="another store, or one model's folder")
    source.add_argument("--revision", help="commit, tag or branch (default: the catalogue's pinned commit, else main)")
    source.add_argument("--sha256", metavar="HEX", help="of what --url leads to, without which it is not trusted")
    source.add_argument(
        "--endpoint", metavar="URL", help="address of the hub (default: $HF_ENDPOINT or the public hub)"
    )
    source.add_argument("--token-file", type=Path, metavar="FILE", help="file that holds an access token")
    source.add_argument(
        "--ca-bundle", type=Path, metavar="FILE", help="certificates of authorities to trust besides the system's"
    )
    source.add_argument(
        "--patience",
        type=_seconds,
        metavar="SECONDS",
        help="how long next to nothing may come before a transfer counts as stopped (default: 30)",
    )


def require_one_way(arguments: argparse.Namespace, given: Sequence[str]) -> None:
    """End the process with code 2 where the options contradict each other, or one source stands for several models."""
    usage: argparse.ArgumentParser = arguments.usage
    if bool(arguments.url) != bool(arguments.sha256):
        usage.error("--url and --sha256 belong together: say where it is and what it must be")
    single = [name for name in ("repo", "url") if getattr(arguments, name)]
    if arguments.folder and not UnifiedModelManager(arguments.folder).manifests():
        single.append("from FOLDER that is no store")
    if single and len(given) != 1:
        usage.error(f"--{single[0]} says where one model is: give exactly one with --models")
    if arguments.revision and (arguments.url or arguments.folder):
        usage.error("--revision belongs to a repository, not to --url or --from")


def source_of(model: str, arguments: argparse.Namespace) -> ModelSource:
    """Where to get a checkpoint, or an auxiliary model.

    Raises:
        UnknownModel: the catalogue does not have it, and no option says where it is.
        AuthFailed, PermissionDenied: there is no token where one should be.
    """
    from whisper_models.download import HubSource  # noqa: PLC0415 - list and path need no HTTP client

    if named := _named(arguments):
        return named
    entry = lookup_auxiliary(model) if "/" in model else lookup(model)
    if arguments.revision:
        return _repository(entry.repo, arguments)
    return HubSource.catalogued(entry, _endpoint(arguments), _token(arguments.token_file), arguments.ca_bundle)


def premade_source_of(variant: Variant, arguments: argparse.Namespace) -> ModelSource | None:
    """Where a variant may be had ready-made, if that is known."""
    from whisper_models.download import published_source  # noqa: PLC0415 - list and path need no HTTP client

    if arguments.url and not arguments.format:
        return None  # it is the checkpoint's
    if named := _named(arguments):
        return named
    return published_source(variant, _endpoint(arguments), _token(arguments.token_file), arguments.ca_bundle)


def patience_of(arguments: argparse.Namespace) -> Patience:
    """How long to go on with a line that brings next to nothing."""
    from whisper_models.download import Patience  # noqa: PLC0415 - list and path need no HTTP client

    return Patience(silence=arguments.patience) if arguments.patience else Patience()


def _named(arguments: argparse.Namespace) -> ModelSource | None:
    from whisper_models.download import AddressSource, FolderSource  # noqa: PLC0415 - list and path need no HTTP client

    if arguments.folder:
        return FolderSource(arguments.folder)
    if arguments.url:
        return AddressSource(arguments.url, arguments.sha256, _token(arguments.token_file), arguments.ca_bundle)
    return _repository(arguments.repo, arguments) if arguments.repo else None


def _repository(repo: str, arguments: argparse.Namespace) -> ModelSource:
    from whisper_models.download import HubSource  # noqa: PLC0415 - list and path need no HTTP client

    token, trusted = _token(arguments.token_file), arguments.ca_bundle
    found = HubSource(repo, arguments.revision or "main", token=token, authorities=trusted)
    endpoint = _endpoint(arguments)
    return replace(found, endpoint=endpoint) if endpoint else found


def _seconds(text: str) -> float:
    found = float(text)  # argparse names the option where it is no number
    if not 0 < found <= LONGEST_PATIENCE:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0 and at most {LONGEST_PATIENCE:g} seconds")
    return found


def _endpoint(arguments: argparse.Namespace) -> str | None:
    return arguments.endpoint.rstrip("/") if arguments.endpoint else None


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
