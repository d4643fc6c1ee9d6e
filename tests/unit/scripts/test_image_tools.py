"""Which container tool is taken, and what it is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.image_build.tools import Build, MissingToolError, Tool, choose_tool

STORAGE = Path("/cache/storage")
BUILD = Build(
    reference="localhost/whisper-cpu:abc",
    context=Path("/context"),
    containerfile=Path("/context/Containerfile"),
    arguments={"BASE_IMAGE": "base"},
    secrets={"network": Path("/secrets/network")},
)


def installed(*names: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name in names else None


def works(_: list[str]) -> bool:
    return True


def fails(_: list[str]) -> bool:
    return False


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (("buildah", "podman", "docker"), "buildah"),
        (("podman", "docker"), "podman"),
        (("docker",), "docker"),
    ],
)
def test_the_first_tool_that_is_there_is_taken(there: tuple[str, ...], chosen: str) -> None:
    assert choose_tool(STORAGE, which=installed(*there), answers=works).name == chosen


def test_a_docker_without_a_daemon_does_not_count() -> None:
    with pytest.raises(MissingToolError, match="apt-get install -y buildah"):
        choose_tool(STORAGE, which=installed("docker"), answers=fails)


@pytest.mark.parametrize("name", ["buildah", "podman"])
def test_layers_are_kept_inside_the_cache(name: str) -> None:
    tool = choose_tool(STORAGE, which=installed(name), answers=works)
    words = " ".join(tool.build(BUILD))
    assert f"--root {STORAGE}/root --runroot {STORAGE}/run" in words


def test_where_overlays_do_not_work_layers_are_plain_copies() -> None:
    tool = choose_tool(STORAGE, which=installed("buildah"), answers=fails)
    assert tool.prefix[-2:] == ("--storage-driver", "vfs")


@pytest.mark.parametrize("name", ["buildah", "podman", "docker"])
def test_every_tool_gets_base_secrets_file_and_tag(name: str) -> None:
    words = " ".join(Tool(name, (name,)).build(BUILD))
    assert words.startswith(f"{name} build --file /context/Containerfile --tag localhost/whisper-cpu:abc")
    assert "--build-arg BASE_IMAGE=base" in words
    assert "--secret id=network,src=/secrets/network" in words
    assert words.endswith(" /context")


@pytest.mark.parametrize(("name", "isolated"), [("buildah", True), ("podman", True), ("docker", False)])
def test_builds_need_no_container_runtime_where_the_tool_can_do_without(name: str, isolated: bool) -> None:  # noqa: FBT001 - the expectation
    assert ("--isolation" in Tool(name, (name,)).build(BUILD)) is isolated
