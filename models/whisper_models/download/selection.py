"""Which of a repository's files a runtime or a converter reads: no second copy of the weights, no other framework's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from whisper_models.errors import Incomplete, NotFound, UnsupportedCheckpoint
from whisper_models.shards import INDEX, SHARD, WEIGHTS, shards_named_by

REQUIRED = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json")
WELCOME = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt")
PICKLES = (".bin", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One published file: sha256 where it is large, git's sha1 where it is small, neither where none was published."""

    path: str
    size: int
    sha256: str | None = None
    git_sha1: str | None = None
    stored_as: str = ""

    @property
    def name(self) -> str:
        """What it is called in the store."""
        return self.stored_as or self.path


def select(repo: str, files: Mapping[str, RemoteFile]) -> list[RemoteFile]:
    """The files to fetch, small ones first, so that a refusal costs little.

    Raises:
        UnsupportedCheckpoint: the weights are there as a pickle only.
        NotFound: there are no weights, or a file that every Whisper checkpoint has is missing.
    """
    missing = [name for name in REQUIRED if name not in files]
    weights = [files[WEIGHTS]] if WEIGHTS in files else _shards(files)
    if not weights:
        raise _without_weights(repo, files)
    if missing:
        raise NotFound(f"{repo} has no {', '.join(missing)}: it is not a complete Whisper checkpoint; use another one")
    small = [files[name] for name in (*REQUIRED, *WELCOME) if name in files]
    return [*small, *weights]


def require_shards(index: bytes, present: set[str]) -> None:
    """Refuse a set of shards that is not the one its index names.

    Raises:
        Incomplete: naming what is missing.
    """
    missing = sorted(shards_named_by(index) - present)
    if missing:
        raise Incomplete(
            f"{INDEX} names {', '.join(missing[:3])}, which the repository does not have: use another revision"
        )


def _shards(files: Mapping[str, RemoteFile]) -> list[RemoteFile]:
    shards = [file for name, file in sorted(files.items()) if SHARD.fullmatch(name)]
    return [files[INDEX], *shards] if INDEX in files and shards else []


def _without_weights(repo: str, files: Mapping[str, RemoteFile]) -> Exception:
    pickles = sorted(name for name in files if name.endswith(PICKLES))
    if pickles:
        return UnsupportedCheckpoint(
            f"{repo} has its weights as a pickle only ({pickles[0]}), which can run code when it is read: "
            "use a revision with model.safetensors, or save it as that first"
        )
    return NotFound(f"{repo} has no {WEIGHTS}: check the repository and the revision")
