"""Where checkpoints come from, as options say it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from whisper_models.catalogue import lookup
from whisper_models.errors import AuthFailed, PermissionDenied

if TYPE_CHECKING:
    from whisper_models.download import HubSource


def add_source(command: argparse.ArgumentParser) -> None:
    """The options."""
    source = command.add_argument_group("source", "the hub that the catalogue names, but for these")
    source.add_argument("--repo", help="repository on the hub (organisation/name) of a model that has another one")
    source.add_argument("--revision", help="commit, tag or branch (default: the catalogue's pinned commit)")
    source.add_argument(
        "--endpoint", metavar="URL", help="address of the hub (default: $HF_ENDPOINT or the public hub)"
    )
    source.add_argument("--token-file", type=Path, metavar="FILE", help="file that holds an access token")


def source_of(name: str, arguments: argparse.Namespace) -> HubSource:
    """Where to get one model.

    Raises:
        UnknownModel: the catalogue does not have it, and no option says where it is.
        AuthFailed, PermissionDenied: there is no token where one should be.
    """
    from whisper_models.download import HubSource  # noqa: PLC0415 - list and path need no HTTP client

    entry = None if arguments.repo else lookup(name)
    repo = arguments.repo or (entry.repo if entry else "")
    revision = arguments.revision or (entry.revision if entry else "main")
    endpoint = {"endpoint": arguments.endpoint.rstrip("/")} if arguments.endpoint else {}
    return HubSource(repo, revision, token=_token(arguments.token_file), **endpoint)


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
