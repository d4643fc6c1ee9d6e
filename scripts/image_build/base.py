"""The image that all others stand on: the published one, or a Debian made here where no registry can be reached.

The choice is made once and remembered with the base's identity, so that later builds ask nobody.
`BASE=public` or `BASE=local` chooses anew; so does removing base.json from the cache.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.commands import CommandError, output_of, stream
from scripts.image_build.settings import Settings
from scripts.image_build.tools import Build, Tool
from scripts.progress import Progress

PUBLIC = "python:3.11-slim-bookworm"
LOCAL = "localhost/whisper-base"
SUITE = "bookworm"
LEFT_OUT = ("doc", "info", "locale", "man")
RESOLVE_SECONDS = 15
NO_MMDEBSTRAP = (
    f"the base image {PUBLIC} cannot be had from here, and mmdebstrap, which makes one from Debian packages, "
    "is not installed.\n"
    "On Debian and Ubuntu: apt-get install -y mmdebstrap debian-archive-keyring"
)


class BaseImageError(Exception):
    """Neither the published base image nor a local one can be had."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base image: where it came from, how a Containerfile names it, and what it is exactly."""

    origin: str
    reference: str
    identity: str


def mmdebstrap(archive: Path) -> list[str]:
    """The command that makes the local base: Python, certificates, and no manuals."""
    without = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in LEFT_OUT]
    return ["mmdebstrap", "--variant=minbase", "--include=python3-venv,ca-certificates", *without, SUITE, str(archive)]


def remembered(settings: Settings) -> Base | None:
    """The base chosen earlier, unless the caller asks for another now or its files are gone."""
    try:
        base = Base(**json.loads(_record(settings).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    if settings.base not in ("auto", base.origin) or (base.origin == "local" and not _rootfs(settings).exists()):
        return None
    return base


def choose_base(settings: Settings, tool: Tool, progress: Progress) -> Base:
    """Find or make the base and remember it; raises BaseImageError, which says what to do."""
    base = _public(settings, tool, progress) if settings.base != "local" else None
    base = base or _local(settings, progress)
    settings.cache.mkdir(parents=True, exist_ok=True)
    _record(settings).write_text(json.dumps(asdict(base)), encoding="utf-8")
    return base


def provide(base: Base, settings: Settings, tool: Tool, progress: Progress) -> None:
    """Make sure that the tool's storage holds a local base; a public one it fetches by itself."""
    if base.origin != "local" or _held(tool, base.reference):
        return
    progress.say(f"base: taking {base.reference} into {tool.name}")
    context = settings.contexts / "base"
    context.mkdir(parents=True, exist_ok=True)
    (context / "Containerfile").write_text("FROM scratch\nADD rootfs.tar /\n", encoding="utf-8")
    (context / "rootfs.tar").unlink(missing_ok=True)
    (context / "rootfs.tar").hardlink_to(_rootfs(settings))
    stream(
        tool.build(Build(base.reference, context, context / "Containerfile", arguments={}, secrets={})),
        log=settings.logs / "base.log",
        on_line=lambda _: None,
    )
    shutil.rmtree(context)


def _public(settings: Settings, tool: Tool, progress: Progress) -> Base | None:
    try:
        output_of(tool.resolve(PUBLIC), timeout=RESOLVE_SECONDS)
        progress.say(f"base: fetching {PUBLIC}")
        output_of(tool.pull(PUBLIC))
        return Base("public", PUBLIC, output_of(tool.identify(PUBLIC)).strip())
    except CommandError as error:
        if settings.base == "public":
            raise BaseImageError(f"BASE=public, and the base image cannot be had: {error}") from error
        return None


def _local(settings: Settings, progress: Progress) -> Base:
    rootfs = _rootfs(settings)
    if not rootfs.exists():
        if not shutil.which("mmdebstrap"):
            raise BaseImageError(NO_MMDEBSTRAP)
        why = "as BASE=local asks" if settings.base == "local" else f"since {PUBLIC} cannot be had from here"
        progress.say(f"base: making one from Debian {SUITE}'s packages, {why} (about a minute, once)")
        rootfs.parent.mkdir(parents=True, exist_ok=True)
        partial = rootfs.with_suffix(".partial.tar")
        stream(mmdebstrap(partial), log=settings.logs / "mmdebstrap.log", on_line=lambda _: None)
        partial.rename(rootfs)
    with rootfs.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Base("local", f"{LOCAL}:{SUITE}-{digest[:12]}", f"sha256:{digest}")


def _held(tool: Tool, reference: str) -> bool:
    try:
        output_of(tool.identify(reference))
    except CommandError:
        return False
    return True


def _record(settings: Settings) -> Path:
    return settings.cache / "base.json"


def _rootfs(settings: Settings) -> Path:
    recipe = hashlib.sha256("\0".join(mmdebstrap(Path("rootfs.tar"))).encode()).hexdigest()[:12]
    return settings.cache / "base" / f"{SUITE}-{recipe}.tar"
