"""When there is something to build, and when nobody needs to be asked."""

import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.image_build import base, building
from scripts.image_build.definitions import IMAGES, choose
from scripts.image_build.settings import Settings, read_settings
from scripts.progress import Progress

CHOSEN = base.Base("public", base.PUBLIC, "sha256:1")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = replace(read_settings({"WHISPER_CACHE": str(tmp_path)}), environment={})
    found.cache.mkdir()
    remember(found, CHOSEN)
    return found


def remember(settings: Settings, chosen: base.Base) -> None:
    record = {"origin": chosen.origin, "reference": chosen.reference, "identity": chosen.identity}
    (settings.cache / "base.json").write_text(json.dumps(record))


def pretend_built(settings: Settings) -> None:
    for wanted in building._wanted(IMAGES, CHOSEN, settings):
        wanted.archive.write_text("an archive")


def quiet() -> Progress:
    return Progress(io.StringIO())


def test_what_is_unchanged_needs_no_container_tool(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_built(settings)
    monkeypatch.setenv("PATH", "/nowhere")
    built = building.build(IMAGES, settings, quiet())
    assert [image.name for image in built] == [image.name for image in IMAGES]
    assert not any(image.built for image in built)


def test_a_reference_names_the_archives_content(settings: Settings) -> None:
    pretend_built(settings)
    for image in building.build(choose(["cpu"]), settings, quiet()):
        assert image.archive.stem.removeprefix("cpu-") == image.reference.removeprefix("localhost/whisper-cpu:")


def test_only_present_versions_are_listed(settings: Settings) -> None:
    assert building.listed(settings) == []
    pretend_built(settings)
    assert len(building.listed(settings)) == len(IMAGES)
    remember(settings, replace(CHOSEN, identity="sha256:2"))
    assert building.listed(settings) == []


def test_the_newest_archives_come_first(settings: Settings) -> None:
    for age, tag in enumerate(["a" * 12, "b" * 12, "c" * 12]):
        archive = settings.cache / f"cpu-{tag}.tar"
        archive.touch()
        os.utime(archive, (1000 - age, 1000 - age))
    (settings.cache / "cpu-notes.tar").touch()
    found = building._archives(choose(["cpu"])[0], settings)
    assert [path.name[4] for path in found] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("asked", "origin", "kept"),
    [("auto", "public", True), ("public", "public", True), ("local", "public", False), ("public", "local", False)],
)
def test_the_base_is_chosen_again_only_when_another_is_asked_for(
    settings: Settings,
    asked: str,
    origin: str,
    kept: bool,  # noqa: FBT001 - the expectation
) -> None:
    remember(settings, replace(CHOSEN, origin=origin))
    assert (base.remembered(replace(settings, base=asked)) is not None) is kept


def test_a_local_base_whose_files_are_gone_is_made_again(settings: Settings) -> None:
    remember(settings, replace(CHOSEN, origin="local"))
    assert base.remembered(settings) is None


def test_a_spoilt_record_is_no_record(settings: Settings) -> None:
    (settings.cache / "base.json").write_text('{"half": ')
    assert base.remembered(settings) is None
