"""Validation: what is recorded, when it is measured again, and that nothing an engine does goes unnamed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from whisper_models.artifact import THRESHOLD, Format, Manifest, Precision, Source, Variant
from whisper_models.clips import BUNDLED
from whisper_models.convert import onnx as onnx_format
from whisper_models.errors import (
    ChecksumMismatch,
    LibraryMissing,
    SourceMissing,
    UnsupportedCheckpoint,
    UnusableSample,
    ValidationFailed,
)
from whisper_models.progress import Progress, Stage
from whisper_models.store import UnifiedModelManager
from whisper_models.validate import hearing, job, reference, validate
from whisper_models.validate.process import Bounds, Work, run
from whisper_models.validate.transcribers import ENGINES
from whisper_models.validate.windows import windows

from tests.support.artifacts import linked_copy, onnx_store
from tests.support.processes import cpu_seconds, tree
from tests.support.waiting import wait_until
from tests.support.words import JFK_WORDS, SAMPLE, word_errors

INT8 = Variant("tiny.en", Format.ONNX, Precision.INT8)
FP32 = Variant("tiny.en", Format.ONNX, Precision.FP32)
BASE = Variant.base("tiny.en")


@pytest.fixture
def store(tmp_path: Path) -> UnifiedModelManager:
    """The checkpoint and INT8 of it."""
    return UnifiedModelManager(linked_copy(onnx_store("tiny.en"), tmp_path / "models"))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Variant]:
    """The variants that engines were asked to hear with, in order; each says the same at once."""
    asked: list[Variant] = []

    def hear(variant: Variant, _path: Path, _size: int, samples: list[object]) -> tuple[str, ...]:
        asked.append(variant)
        return ("Ask not.",) * len(samples)

    monkeypatch.setattr(job, "hear", hear)
    monkeypatch.setattr(reference, "hear", hear)
    return asked


def measured(store: UnifiedModelManager, variant: Variant = INT8, samples: Path | None = None) -> Manifest:
    return validate(store, variant, samples, THRESHOLD, Progress())


def folder_of(path: Path, *clips: Path) -> Path:
    path.mkdir()
    for clip in clips:
        (path / clip.name).symlink_to(clip.resolve())
    return path


def test_it_records_what_was_heard_beside_what_full_weights_say_and_touches_no_file(
    store: UnifiedModelManager, temporary: Path
) -> None:
    before, progress = store.manifest(INT8), Progress()
    manifest = validate(store, INT8, None, THRESHOLD, progress)
    assert before
    assert manifest == store.manifest(INT8)
    assert (manifest.digest, manifest.files, store.damage(INT8)) == (before.digest, before.files, [])
    assert manifest.validation
    (transcript,) = manifest.validation.transcripts
    assert manifest.validation.passed
    assert manifest.validation.similarity == transcript.similarity >= THRESHOLD
    assert word_errors(JFK_WORDS, transcript.text) == word_errors(JFK_WORDS, transcript.expected) == 0
    assert manifest.canary
    assert (manifest.canary.clip, manifest.canary.text) == ("jfk.wav", transcript.text)
    assert manifest.validation.tools.keys() == {"onnxruntime", "recipe", "samples", "whisper-normalizer"}
    assert progress.snapshot().stage is Stage.VALIDATING
    assert list(temporary.iterdir()) == []


def test_words_too_far_off_are_recorded_and_nothing_is_taken_away(store: UnifiedModelManager, tmp_path: Path) -> None:
    telephone = folder_of(tmp_path / "samples", SAMPLE)
    found = validate(store, INT8, telephone, 1.0, Progress()).validation
    assert found
    assert not found.passed
    assert found.similarity == min(transcript.similarity for transcript in found.transcripts) < 1
    assert [transcript.clip for transcript in found.transcripts] == ["jfk.wav", "sample.wav"]
    assert store.complete(INT8)
    assert store.manifest(INT8).canary is None  # type: ignore[union-attr] # it is there


def test_what_was_measured_is_not_measured_again(store: UnifiedModelManager, heard: list[Variant]) -> None:
    first = measured(store)
    assert heard == [INT8, FP32]
    assert measured(store) == first
    assert heard == [INT8, FP32]


@pytest.mark.parametrize("changed", ["threshold", "samples", "the engine's version"])
def test_it_is_measured_again_when_that_could_come_out_otherwise(
    store: UnifiedModelManager, heard: list[Variant], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    measured(store)
    heard.clear()
    match changed:
        case "threshold":
            assert validate(store, INT8, None, 0.5, Progress()).validation.threshold == 0.5  # type: ignore[union-attr]
            assert heard == [INT8]
        case "samples":
            measured(store, samples=folder_of(tmp_path / "samples", SAMPLE))
            assert heard == [INT8, FP32]
        case _:
            monkeypatch.setattr(hearing.importlib.metadata, "version", lambda _name: "99")  # type: ignore[attr-defined]
            measured(store)
            assert heard == [INT8, FP32]


def test_the_reference_is_taken_from_the_store_where_it_is_there(
    store: UnifiedModelManager, heard: list[Variant], monkeypatch: pytest.MonkeyPatch
) -> None:
    linked_copy(onnx_store("tiny.en", "fp32"), store.root)
    monkeypatch.setattr(onnx_format, "convert", None)  # it would raise if it were called
    measured(store, FP32)
    assert heard == [FP32]
    measured(store)
    assert heard == [FP32, INT8], "the texts were in the manifest of FP32"
    store.record(FP32, None, None)
    store.record(INT8, None, None)
    measured(store)
    assert heard[2:] == [INT8, FP32]


def test_a_damaged_variant_is_named_and_not_measured(
    store: UnifiedModelManager, heard: list[Variant], tmp_path: Path
) -> None:
    weights = store.path(INT8) / "decoder.weights"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.unlink()  # it is a link to everybody's
    weights.write_bytes(content)
    with pytest.raises(ChecksumMismatch, match=r"decoder\.weights.*make tiny\.en onnx int8 again"):
        measured(store)
    assert heard == []
    assert store.manifest(INT8).validation is None  # type: ignore[union-attr] # it is there


def test_without_the_weights_to_compare_with_the_source_is_missing(
    store: UnifiedModelManager, heard: list[Variant]
) -> None:
    store.remove(BASE)
    with pytest.raises(SourceMissing, match=r"download tiny\.en again"):
        measured(store)


def test_of_what_nobody_knows_the_origin_another_models_texts_are_no_reference(
    store: UnifiedModelManager, heard: list[Variant]
) -> None:
    ready_made, other = (Variant(name, Format.ONNX, Precision.INT8) for name in ("ready-made", "other"))
    found = measured(store).validation
    for variant in (ready_made, other):
        publish(store, variant, {"encoder.onnx": b"graph"})
    store.record(ready_made, found, None)
    with pytest.raises(SourceMissing, match="download other again"):
        measured(store, other)
    assert heard[-1] == other


def test_a_reference_without_a_word_is_no_reference(
    store: UnifiedModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "hear", lambda *_: ("",))
    monkeypatch.setattr(reference, "hear", lambda *_: ("",))
    with pytest.raises(ValidationFailed, match=r"hears no word in jfk\.wav"):
        measured(store)


def test_an_engine_that_is_not_installed_is_named(store: UnifiedModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "ENGINES", {**ENGINES, Format.ONNX: ("no-such-engine",)})
    with pytest.raises(LibraryMissing, match=r"no-such-engine.*whisper-models\[engines\]"):
        measured(store)


def test_of_a_checkpoint_it_says_only_whether_it_can_be_read(store: UnifiedModelManager, heard: list[Variant]) -> None:
    assert measured(store, BASE).validation is None
    broken = publish(store, BASE, {"config.json": b"{}", "model.safetensors": b"not tensors at all"})
    with pytest.raises(UnsupportedCheckpoint, match="model_type"):
        measured(store, broken)
    assert heard == []


def publish(store: UnifiedModelManager, variant: Variant, files: dict[str, bytes]) -> Variant:
    workspace = store.workspace(variant, "0" * 12)
    for name, content in files.items():
        (workspace / name).write_bytes(content)
    source = Source(repo="somebody/something", revision="1" * 40, endpoint="file")
    store.publish(workspace, Manifest.describing(variant, store.entries(workspace), source=source, tools={}))
    return variant


def test_of_an_auxiliary_model_it_says_whether_a_library_opens_it(tmp_path: Path) -> None:
    store = UnifiedModelManager(tmp_path / "models")
    silero = Variant("vad/silero", Format.AUXILIARY, Precision.STORED)
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [value], [_named(value, "y")])
    sound = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    publish(store, silero, {"model.onnx": sound, "README.md": b"any bytes"})
    assert measured(store, silero).validation is None
    publish(store, silero, {"model.onnx": sound[:-20]})
    with pytest.raises(ValidationFailed, match=r"vad/silero auxiliary stored in .*model\.onnx"):
        measured(store, silero)


def _named(value: onnx.ValueInfoProto, name: str) -> onnx.ValueInfoProto:
    named = onnx.ValueInfoProto()
    named.CopyFrom(value)
    named.name = name
    return named


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: (folder / "a.wav").write_bytes(b"no audio"), r"a\.wav cannot be read as audio"),
        (lambda folder: (folder / "a.mp3").write_bytes(b""), "holds 0 wav files"),
        (lambda folder: (folder / "a.wav").symlink_to("nothing"), r"a\.wav cannot be read"),
    ],
)
def test_a_sample_that_cannot_be_heard_is_named(
    store: UnifiedModelManager, tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    folder = folder_of(tmp_path / "samples")
    make(folder)
    with pytest.raises(UnusableSample, match=says):
        measured(store, samples=folder)


ENOUGH = Bounds(seconds=300, bytes=4 << 30)


def work(engine: str) -> Work:
    return Work(
        "tiny.en ggml q5_0", f"tests.support.engines.{engine}", Path("model.bin"), (windows(BUNDLED[0])[0],), ("en",)
    )


@pytest.mark.parametrize(
    ("engine", "bounds", "says"),
    [
        ("crashing", ENOUGH, r"was ended by SIGSEGV, having printed '.*reading tensors"),
        ("hanging", Bounds(seconds=3, bytes=4 << 30), "gave no answer within 3 s"),
        ("leaking", Bounds(seconds=300, bytes=1 << 30), "found no more memory"),
        ("raising", ENOUGH, r"ValueError: model\.bin has 3 layers instead of 4"),
        ("fetching", ENOUGH, "the network is not used while a model is validated"),
        ("missing", ENOUGH, r"ModuleNotFoundError: No module named 'tests\.support\.engines\.missing'"),
    ],
)
def test_whatever_an_engine_does_has_a_name_and_an_advice(engine: str, bounds: Bounds, says: str) -> None:
    with pytest.raises(ValidationFailed, match=says) as failure:
        run(work(engine), bounds)
    assert failure.value.message.startswith(f"tiny.en ggml q5_0 in model.bin: its engine ({engine})")
    assert failure.value.message.endswith(
        "convert or download it again, and if that does not help report it as a defect"
    )
    assert failure.value.retryable


def test_what_an_engine_prints_is_not_taken_for_its_answer() -> None:
    assert run(work("talking"), ENOUGH) == ["176000 samples, en"]


def test_an_engine_that_hangs_ends_even_when_nobody_is_left_to_end_it() -> None:
    hanging = {"module": "tests.support.engines.hanging", "path": "", "languages": [], "parent": os.getpid()}
    hanging |= {"seconds": 1, "bytes": 4 << 30}
    command = [sys.executable, "-m", "whisper_models.validate.child", json.dumps(hanging)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.wait(timeout=300) == -signal.SIGALRM


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the alarm ends it, which is tested above")
def test_an_engine_does_not_outlive_whoever_started_it() -> None:
    parent = (
        "from pathlib import Path; from whisper_models.validate.process import Bounds, Work, run; "
        "run(Work('v', 'tests.support.engines.hanging', Path('m'), (), ()), Bounds(600, 4 << 30))"
    )
    with subprocess.Popen([sys.executable, "-c", parent]) as running:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        wait_until(lambda: bool(children.read_text()), within=300, what="the engine's process is there")
        child = Path("/proc", children.read_text().split()[0])
        wait_until(lambda: b"hanging" in _command(child), within=300, what="it is the engine's")
        running.kill()
    wait_until(lambda: not _command(child), within=300, what="it is gone")


def _command(process: Path) -> bytes:
    """Empty once it has ended."""
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_killed_at_ten_random_moments_it_completes_when_it_runs_again(
    store: UnifiedModelManager, temporary: Path
) -> None:
    command = [sys.executable, "-m", "whisper_models.cli", "validate", "--root", str(store.root), "--models", "tiny.en"]
    moments = random.Random(5)
    for turn in range(10):
        store.record(INT8, None, None)
        _kill_beside_an_engine(command, number=1 + turn % 2, seconds=moments.uniform(0, 0.2))
        assert store.damage(INT8) == []
        assert store.manifest(INT8).validation is None  # type: ignore[union-attr] # it is there
    store.record(INT8, None, None)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "similarity" in done.stdout
    assert store.manifest(INT8).validation.passed  # type: ignore[union-attr] # it is there
    assert list(temporary.iterdir()) == [], "what killed ones left was taken away"


def _kill_beside_an_engine(command: list[str], number: int, seconds: float) -> None:
    """Kill it once its first engine (the variant's) or second (the reference's) has used so much processor time.

    Not by the clock, which means another moment on each machine; loading the engine's library alone takes more.
    """
    engines: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:

        def at_work() -> bool:
            running = [
                pid for pid in tree(killed.pid) if b"whisper_models.validate.child" in _command(Path(f"/proc/{pid}"))
            ]
            engines.extend(pid for pid in running if pid not in engines)
            if len(engines) != number or not running:
                return killed.poll() is not None
            with suppress(FileNotFoundError, ProcessLookupError):
                return cpu_seconds(engines[-1]) >= seconds
            return False

        wait_until(at_work, within=300, every=0.005)
        killed.kill()
    assert killed.returncode == -signal.SIGKILL, "it ended before it was killed"


def test_only_what_a_dead_process_left_is_swept(
    store: UnifiedModelManager, temporary: Path, heard: list[Variant]
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, living = (temporary / f"whisper-reference-{pid}-x" for pid in (ended.pid, os.getpid()))
    for folder in (dead, living, temporary / "somebody-elses"):
        folder.mkdir()
    measured(store)
    assert sorted(path.name for path in temporary.iterdir()) == ["somebody-elses", living.name]
    shutil.rmtree(living)
