from pathlib import Path

from tests.cluster.binaries import ALL, ORDER, PROBE, Binaries, kubernetes_stamp, tools


def test_tools_are_found_alone_and_in_blocks() -> None:
    go_mod = "module m\n\ntool example.org/a/cmd/one\n\ntool (\n\texample.org/b/two\n\texample.org/b/three\n)\n"
    assert tools(go_mod) == {
        "one": "example.org/a/cmd/one",
        "two": "example.org/b/two",
        "three": "example.org/b/three",
    }


def test_a_version_at_the_end_of_a_path_is_no_name() -> None:
    assert tools("tool go.etcd.io/etcd/server/v3\n") == {"etcd": "go.etcd.io/etcd/server/v3"}


def test_every_program_of_the_cluster_has_a_module() -> None:
    assert {program for module in ORDER for program in module.packages()} == {*ALL, PROBE}


def test_kubernetes_programs_learn_the_version_that_go_mod_pins() -> None:
    stamp = kubernetes_stamp("require (\n\tk8s.io/kubernetes v1.37.2 // indirect\n)\n")
    assert "gitVersion=v1.37.2" in stamp
    assert "gitMinor=37" in stamp


def test_a_program_lives_in_a_folder_named_by_what_goes_into_it(tmp_path: Path) -> None:
    kubernetes = ORDER[0]
    assert Binaries(tmp_path).path("kubectl") == tmp_path / "bin" / f"kubernetes-{kubernetes.digest()}" / "kubectl"


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    binaries = Binaries(tmp_path)
    binaries.path("kubectl").parent.mkdir(parents=True)
    binaries.path("kubectl").touch()
    assert binaries.missing(("kubectl", "helm")) == ["helm"]
