"""What `whisper-models` says and how it ends, over small variants in a real store."""

import io
import json
from pathlib import Path

import pytest
from whisper_models import cli
from whisper_models.artifact import Format, Precision, Transcript, Validation, Variant
from whisper_models.progress import Progress
from whisper_models.progress_server import serving
from whisper_models.store import UnifiedModelManager

from tests.unit.models.asked import Run, lines
from tests.unit.models.builders import AUXILIARY, GGML, ONNX, published


def damage(store: UnifiedModelManager, variant: Variant) -> None:
    file = next(path for path in store.path(variant).rglob("*") if path.is_file() and path.name != "manifest.json")
    file.write_bytes(bytes(byte ^ 1 for byte in file.read_bytes()))


def measured(store: UnifiedModelManager, variant: Variant, similarity: float) -> None:
    heard = Transcript(clip="jfk.wav", text="ask", expected="ask not", similarity=similarity)
    store.record(variant, Validation(similarity=similarity, threshold=0.95, transcripts=(heard,)), None)


def test_list_is_an_aligned_table(run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str]) -> None:
    published(store, b"x" * 3_000_000)
    published(store, variant=GGML)
    published(store, variant=AUXILIARY)
    measured(store, ONNX, 0.9)
    measured(store, GGML, 1.0)
    assert run("list") == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert [row.split() for row in rows] == [
        ["tiny.en", "ggml", "q5_0", "7", "B", "1.000", "yes", f"{store.root}/ggml/ggml-tiny.en-q5_0.bin"],
        ["tiny.en", "onnx", "int8", "3", "MB", "0.900", "below", "0.95", f"{store.root}/onnx/whisper-tiny.en/int8"],
        ["vad/silero", "auxiliary", "stored", "7", "B", "-", "-", f"{store.root}/phenome/vad/silero"],
    ]
    for column in ("FORMAT", "PRECISION", "PATH"):
        assert {line[heading.index(column) - 1] for line in rows} == {" "}
        assert " " not in {line[heading.index(column)] for line in rows}


def test_list_says_where_nothing_is_and_how_to_begin(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "whisper-models download" in said.err


def test_list_for_machines_is_one_line_for_each(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", "--json") == 0
    assert lines(capsys) == []
    published(store)
    measured(store, ONNX, 0.9)
    published(store, variant=GGML)
    assert run("list", "--json") == 0
    assert [(row["format"], row["similarity"], row["threshold"]) for row in lines(capsys)] == [
        ("ggml", None, None),
        ("onnx", 0.9, 0.95),
    ]


def test_the_catalogue_says_size_licence_and_terms(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--catalogue") == 0
    table = capsys.readouterr().out.splitlines()
    assert run("list", "--catalogue", "--json") == 0
    entries = {row["name"]: row for row in lines(capsys)}
    assert table[0].split() == ["MODEL", "SIZE", "LICENCE", "GATED", "REPOSITORY", "ABOUT"]
    assert {row.split()[0] for row in table[1:]} == entries.keys()
    assert {"large-v3-turbo", "vad/silero"} <= entries.keys()
    gated = {row.split()[0] for row in table[1:] if row.split()[4] == "yes"}
    assert gated == {name for name, entry in entries.items() if entry.get("gated")} != set()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WHISPER_MODELS": "{0}/a"}, "{0}/a"),
        ({"XDG_DATA_HOME": "{0}/data"}, "{0}/data/whisper-models"),
        ({"HOME": "{0}"}, "{0}/.local/share/whisper-models"),
    ],
)
def test_the_store_is_where_the_environment_says(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    environment: dict[str, str],
    expected: str,
) -> None:
    for name in ("WHISPER_MODELS", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    assert cli.main(["list"]) == 0
    assert capsys.readouterr().err.startswith(f"{expected.format(tmp_path)} has no models")


@pytest.mark.parametrize(("variant", "words"), [(ONNX, []), (GGML, ["--format", "ggml"])])
def test_path_is_where_the_format_is_read_from(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str], variant: Variant, words: list[str]
) -> None:
    published(store, variant=variant)
    assert run("path", "whisper-tiny.en", *words) == 0
    assert Path(capsys.readouterr().out.strip()).samefile(store.root / store.location(variant))


@pytest.mark.parametrize(("variant", "words"), [(ONNX, []), (GGML, ["--format", "ggml"])])
def test_path_for_machines_has_what_list_says_and_the_whole_path(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str], variant: Variant, words: list[str]
) -> None:
    published(store, variant=variant)
    assert run("list", "--json") == 0
    (listed,) = lines(capsys)
    assert run("path", "tiny.en", *words) == 0
    plain = capsys.readouterr().out.strip()
    assert run("path", "tiny.en", *words, "--json") == 0
    assert lines(capsys) == [listed | {"path": plain}]


def test_path_for_machines_says_what_is_missing_in_json(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("path", "tiny.en", "--json") == 1
    assert [row["reason"] for row in lines(capsys)] == ["SourceMissing"]


def test_verify_finds_a_byte_and_goes_on(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    published(store)
    published(store, variant=GGML)
    assert run("verify") == 0
    capsys.readouterr()
    damage(store, GGML)
    assert run("verify", "--json", "--termination-log", str(log)) == 1
    assert [(row["outcome"], row["format"]) for row in lines(capsys)] == [("Failed", "ggml"), ("Ready", "onnx")]
    assert json.loads(log.read_text())["reason"] == "ChecksumMismatch"
    assert run("verify", "tiny.en", "--format", "onnx") == 0


@pytest.mark.parametrize("words", [["verify"], ["verify", "base"], ["validate", "--check-all"]])
def test_nothing_to_look_at_is_a_failure_that_a_job_is_told_of(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    log = tmp_path / "log"
    assert run(*words, "--json", "--termination-log", str(log)) == 1
    assert [row["reason"] for row in lines(capsys)] == [json.loads(log.read_text())["reason"]] == ["SourceMissing"]


def test_one_variant_is_removed_and_its_bytes_are_told(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str]
) -> None:
    published(store, b"x" * 2_000_000)
    published(store, variant=GGML)
    words = ["remove", "--models", "tiny.en", "--format", "onnx", "--precision", "int8"]
    assert run(*words) == 0
    assert "2 MB freed" in capsys.readouterr().out
    assert [found.variant for found in store.manifests()] == [GGML]
    assert run(*words) == 0
    assert "was not there" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--format", "onnx"], ["ggml", "auxiliary", "pytorch"]),
        (["--all-formats"], ["auxiliary"]),
    ],
)
def test_more_is_removed_when_more_is_named(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str], words: list[str], left: list[str]
) -> None:
    int4 = Variant("tiny.en", Format.ONNX, Precision.INT4)
    for variant in (ONNX, int4, GGML, AUXILIARY, Variant.base("tiny.en")):
        published(store, variant=variant)
    assert run("remove", "tiny.en", *words, "--json") == 0
    assert {row["outcome"] for row in lines(capsys)} == {"Removed"}
    assert {found.format for found in store.manifests()} == set(left)


def test_an_auxiliary_model_is_removed_by_its_name(run: Run, store: UnifiedModelManager) -> None:
    published(store, variant=AUXILIARY)
    assert run("remove", "vad/silero") == 0
    assert store.manifests() == []


class Answering(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("", 1, 1)])
def test_a_person_is_asked_before_anything_is_removed(
    run: Run, store: UnifiedModelManager, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    published(store)
    monkeypatch.setattr("sys.stdin", Answering(answer))
    assert run("remove", "tiny.en", "--all-formats") == code
    assert len(store.manifests()) == left


def test_who_says_yes_is_not_asked(run: Run, store: UnifiedModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    published(store)
    monkeypatch.setattr("sys.stdin", Answering(""))
    assert run("remove", "tiny.en", "--all-formats", "--yes") == 0
    assert store.manifests() == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["download"], "--models NAME"),
        (["download", "--all", "--models", "tiny"], "exclude each other"),
        (["download", "--models", "tiny", "--formats", "onnx", "--format", "ggml"], "one of them"),
        (["download", "--models", "tiny", "--precision", "int8"], "which format"),
        (["download", "--models", "tiny", "--formats", "ggml", "--or-convert"], "converts anyway"),
        (["download", "--models", "tiny", "--no-ready-made"], "belongs to --formats"),
        (["download", "--models", "tiny", "--format", "ggml", "--no-ready-made"], "belongs to --formats"),
        (["download", "--models", "tiny", "--url", "http://h/f"], "--sha256"),
        (["download", "--models", "tiny", "--sha256", "0" * 64], "--url"),
        (["download", "--all", "--url", "http://h/f", "--sha256", "0" * 64], "exactly one"),
        (["download", "--models", "tiny,base", "--from", "/none"], "exactly one"),
        (["download", "--models", "tiny", "--from", "/none", "--repo", "o/r"], "not allowed with"),
        (["download", "--models", "tiny", "--from", "/none", "--revision", "main"], "--revision"),
        (["download", "--models", "tiny,base", "--repo", "o/r"], "exactly one"),
        (["download", "--models", "tiny", "--formats", "pickle"], "pickle"),
        (["convert", "--all-formats"], "--models"),
        (["convert", "--model", "tiny", "--precision", "int3"], "int3"),
        (["convert", "--model", "tiny", "--format", "ggml", "--precision", "int8"], "q5_0"),
        (["convert", "--model", "tiny", "--all-formats", "--precision", "int8"], "leave it out"),
        (["optimize", "--models", "tiny"], "--target"),
        (["optimize", "--target", "toaster", "--models", "tiny"], "toaster"),
        (["validate"], "--check-all"),
        (["validate", "--check-all", "--models", "tiny"], "--check-all"),
        (["validate", "--check-all", "--threshold", "95"], "between 0 and 1"),
        (["remove"], "which model"),
        (["remove", "tiny"], "--all-formats"),
        (["remove", "tiny", "--format", "onnx", "--all-formats"], "--all-formats"),
        (["remove", "tiny", "--format", "onnx", "--precision", "q5_0"], "int8"),
        (["path", "tiny", "--format", "ggml", "--precision", "int8"], "q5_0"),
        (["verify", "--progress-port", "99999"], "65535"),
    ],
    ids=lambda words: words if isinstance(words, str) else " ".join(words),
)
def test_wrong_usage_is_code_2_and_says_what_is_right(
    run: Run, capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    assert run(*words) == 2
    assert why in capsys.readouterr().err.splitlines()[-1]


def test_quiet_says_nothing_but_what_went_wrong(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str]
) -> None:
    published(store)
    published(store, variant=GGML)
    assert run("verify", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    damage(store, GGML)
    assert run("verify", "--quiet") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("ChecksumMismatch: ")


def test_the_summary_says_what_is_there_what_failed_why_and_what_to_do(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str]
) -> None:
    published(store)
    published(store, variant=GGML)
    damage(store, GGML)
    assert run("verify") == 1
    summary = capsys.readouterr().err.split("\n\n")[1].splitlines()
    assert summary[0] == f"1 of 2 done in {store.root}, 1 failed:"
    assert summary[1].startswith("  tiny.en ggml q5_0: ChecksumMismatch: ")
    assert "make it again" in summary[1]


def test_what_could_not_be_had_is_not_tried_in_its_other_formats(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("download", "--models", "nano", "--formats", "onnx,ggml", "--json") == 1
    told = lines(capsys)
    assert [(row["format"], row["precision"], row["reason"]) for row in told] == [
        ("pytorch", "stored", "UnknownModel"),
        ("onnx", "int8", "SourceMissing"),
        ("ggml", "q5_0", "SourceMissing"),
    ]


def test_optimize_says_what_it_cannot_do_here(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("optimize", "--target", "mac", "--models", "tiny.en") == 1
    assert "Not here: The CoreML encoder" in capsys.readouterr().err


def test_a_store_that_cannot_be_read_is_named(run: Run, store: UnifiedModelManager, tmp_path: Path) -> None:
    log = tmp_path / "log"
    store.root.write_text("not a folder")
    assert (
        run("download", "--models", "tiny.en", "--termination-log", str(log), "--endpoint", "http://127.0.0.1:9") == 1
    )
    assert json.loads(log.read_text())["outcome"] == "Failed"


def test_a_port_that_is_taken_is_wrong_usage(
    run: Run, store: UnifiedModelManager, capsys: pytest.CaptureFixture[str]
) -> None:
    published(store)
    with serving(Progress(), 0) as taken:
        assert run("verify", "--progress-port", str(taken)) == 2
    assert "Address already in use" in capsys.readouterr().err
