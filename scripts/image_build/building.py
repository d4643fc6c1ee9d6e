"""Bring the images up to date: what is already there is left alone, the rest is built and written to an archive."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.commands import CommandError, output_of, stream
from scripts.image_build import base, content
from scripts.image_build.definitions import IMAGES, Image
from scripts.image_build.network import read_network
from scripts.image_build.settings import Settings
from scripts.image_build.tools import Build, Tool, choose_tool
from scripts.progress import Progress

KEPT_ARCHIVES = 2  # of each image: going back to the last branch costs nothing, and the disk does not fill


@dataclass(frozen=True, slots=True)
class Built:
    """An image as it is now."""

    name: str
    reference: str
    archive: Path
    built: bool
    """Whether this run built it; False when it was there already."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    image: Image
    files: dict[str, bytes]
    reference: str
    archive: Path


def build(images: Sequence[Image], settings: Settings, progress: Progress) -> list[Built]:
    """Every image as an archive; raises MissingToolError, BaseImageError or CommandError, each saying what to do."""
    chosen = base.remembered(settings)
    if chosen and not _missing(images, chosen, settings):
        return [_there(wanted) for wanted in _wanted(images, chosen, settings)]
    with _alone(settings, progress):
        tool = choose_tool(settings.storage)
        chosen = chosen or base.choose_base(settings, tool, progress)
        built = [_bring_up(wanted, chosen, tool, settings, progress) for wanted in _wanted(images, chosen, settings)]
        shutil.rmtree(settings.contexts, ignore_errors=True)
    return built


def listed(settings: Settings) -> list[Built]:
    """The images that are there in their present version."""
    chosen = base.remembered(settings)
    return [_there(wanted) for wanted in _wanted(IMAGES, chosen, settings) if wanted.archive.exists()] if chosen else []


def prune(settings: Settings, progress: Progress) -> list[Path]:
    """Remove every archive but those of the present version; answers which went."""
    present = {built.archive for built in listed(settings)}
    gone = [path for image in IMAGES for path in _archives(image, settings) if path not in present]
    for path in gone:
        _drop(path, settings)
        progress.say(f"removed {path.name}")
    return gone


def _wanted(images: Sequence[Image], chosen: base.Base, settings: Settings) -> Iterator[_Wanted]:
    for image in images:
        files = content.inputs(settings.repository, image)
        tag = content.tag(files, chosen.identity)
        yield _Wanted(image, files, f"{image.repository}:{tag}", settings.cache / f"{image.name}-{tag}.tar")


def _missing(images: Sequence[Image], chosen: base.Base, settings: Settings) -> bool:
    return any(not wanted.archive.exists() for wanted in _wanted(images, chosen, settings))


def _there(wanted: _Wanted) -> Built:
    return Built(wanted.image.name, wanted.reference, wanted.archive, built=False)


def _bring_up(wanted: _Wanted, chosen: base.Base, tool: Tool, settings: Settings, progress: Progress) -> Built:
    if wanted.archive.exists():
        return _there(wanted)
    name = wanted.image.name
    base.provide(chosen, settings, tool, progress)
    progress.say(f"{name}: building with {tool.name}")
    context = settings.contexts / name
    content.write_context(wanted.files, context)
    _build_one(wanted, context, chosen, tool, settings)
    partial = wanted.archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    output_of(tool.save(wanted.reference, partial), env=_tool_environment(settings))
    partial.rename(wanted.archive)
    progress.say(f"{name}: {wanted.reference}, {wanted.archive.stat().st_size / 1e6:.0f} MB packed")
    for old in _archives(wanted.image, settings)[KEPT_ARCHIVES:]:
        _drop(old, settings, tool)
    return Built(name, wanted.reference, wanted.archive, built=True)


def _build_one(wanted: _Wanted, context: Path, chosen: base.Base, tool: Tool, settings: Settings) -> None:
    secrets = settings.contexts / "secrets"
    build = Build(
        wanted.reference,
        context,
        context / wanted.image.containerfile,
        arguments={"BASE_IMAGE": chosen.reference},
        secrets=read_network(settings.environment).write_secrets(secrets),
    )
    try:
        stream(
            tool.build(build),
            log=settings.logs / f"{wanted.image.name}.log",
            on_line=lambda _: None,
            env=_tool_environment(settings),
        )
    finally:
        shutil.rmtree(secrets, ignore_errors=True)


def _tool_environment(settings: Settings) -> dict[str, str]:
    temporary = settings.cache / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    # buildah and podman keep their cache mounts (uv's downloads) and scratch files below TMPDIR
    return {**os.environ, "TMPDIR": str(temporary), "DOCKER_BUILDKIT": "1"}


def _archives(image: Image, settings: Settings) -> list[Path]:
    pattern = f"{image.name}-" + "[0-9a-f]" * content.TAG_LENGTH + ".tar"
    return sorted(settings.cache.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)


def _drop(archive: Path, settings: Settings, tool: Tool | None = None) -> None:
    archive.unlink()
    name, _, tag = archive.stem.rpartition("-")
    try:
        output_of((tool or choose_tool(settings.storage)).remove(f"localhost/whisper-{name}:{tag}"))
    except CommandError:
        return  # the tool never had it, or dropped it before: the archive was what took the room


@contextmanager
def _alone(settings: Settings, progress: Progress) -> Iterator[None]:
    settings.cache.mkdir(parents=True, exist_ok=True)
    with (settings.cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("waiting for another build of images to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
