from pathlib import Path

import pytest

from tests.cluster import doctor, oci, settings, slots
from tests.cluster.addresses import SLOTS
from tests.cluster.builtin import Builtin
from tests.cluster.choice import choose
from tests.cluster.cli import main
from tests.cluster.errors import ClusterError, UnsupportedError
from tests.cluster.existing import Existing
from tests.cluster.kind import Kind
from tests.cluster.settings import Settings


def drop(_: str) -> None:
    """Progress that no one reads."""


@pytest.mark.parametrize(
    ("named", "provider"), [(None, Builtin), ("builtin", Builtin), ("kind", Kind), ("existing", Existing)]
)
def test_the_environment_names_the_provider(named: str | None, provider: type) -> None:
    environment = {"HOME": "/home/me"} | ({"CLUSTER": named} if named else {})
    assert isinstance(choose(settings.read(environment), drop), provider)


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ClusterError, match="none of builtin, kind, existing"):
        choose(Settings(Path("/c"), "minikube", None), drop)


def test_the_cache_is_below_home_unless_told() -> None:
    assert settings.read({"HOME": "/home/me"}).cache == Path("/home/me/.cache/whisper-operator")
    assert settings.read({"HOME": "/home/me", "WHISPER_CACHE": "/big"}).cache == Path("/big")


@pytest.mark.parametrize("folder", ["/run/user/0", "/var/lib/whisper", "/var/log"])
def test_a_cache_that_nodes_would_hide_is_refused(folder: str) -> None:
    with pytest.raises(ClusterError, match="choose a folder elsewhere"):
        settings.read({"WHISPER_CACHE": folder})


def test_an_existing_cluster_needs_a_kubeconfig() -> None:
    with pytest.raises(ClusterError, match="set KUBECONFIG"):
        Existing(Path("/c"), None, drop).kubeconfig()


def test_images_for_an_existing_cluster_are_named(tmp_path: Path) -> None:
    (tmp_path / "i.tar").write_bytes(oci.archive(b"", "localhost/whisper-cpu:1"))
    with pytest.raises(UnsupportedError, match=r"Push these .*localhost/whisper-cpu:1"):
        Existing(tmp_path, None, drop).load([tmp_path / "i.tar"])


def test_what_only_the_built_in_cluster_can_do_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLUSTER", "kind")
    assert main(["kill", "node1"]) == 1
    assert "only the built-in cluster can do that" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "version"), [("go1.26.6", (1, 26)), ("go1.27rc1", (1, 27)), ("devel", (0, 0))])
def test_gos_version_is_read(text: str, version: tuple[int, int]) -> None:
    assert doctor.go_version(text) == version


def test_each_cluster_gets_a_slot_of_its_own_and_finds_it_again(tmp_path: Path) -> None:
    held, one, two = tmp_path / "held", tmp_path / "one", tmp_path / "two"
    assert [slots.claim(one, held), slots.claim(two, held)] == [0, 1]
    assert slots.of(two, held) == [1]
    slots.release(0, held)
    assert slots.claim(one, held) == 0


def test_the_slot_of_a_removed_folder_is_abandoned(tmp_path: Path) -> None:
    slots.claim(tmp_path / "gone", tmp_path / "held")
    assert slots.abandoned(tmp_path / "held") == [0]


def test_when_all_slots_are_held_the_holders_are_named(tmp_path: Path) -> None:
    for number in range(SLOTS):
        slots.claim(tmp_path / f"cluster{number}", tmp_path / "held")
    with pytest.raises(ClusterError, match="cluster7"):
        slots.claim(tmp_path / "one-more", tmp_path / "held")
