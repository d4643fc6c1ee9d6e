"""The CoreML encoder computes what Whisper's encoder computes; it is compiled, named and found as whisper.cpp wants it.

The program is read back from disk and run in numpy. Compiling it needs macOS: here a command that stands for `xcrun`
leaves behind what `coremlc` would, and no more.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from safetensors.numpy import load_file
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.cli import main
from whisper_models.commands import optimize
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.coreml import bytes_needed
from whisper_models.convert.coreml.package import write_package
from whisper_models.convert.job import convert
from whisper_models.errors import ConversionFailed, LibraryMissing, UnsupportedCheckpoint
from whisper_models.optimize import targets
from whisper_models.outcome import Exit
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

from tests.support import random_checkpoint
from tests.support.artifacts import converted_folder, import_checkpoint
from tests.support.coreml_program import Program
from tests.support.coremlc import coremlc, put_xcrun
from tests.support.weights import hf_folder
from tests.support.whisper_reference import Floats, Reference

JFK = Path("tests/support/audio/jfk.wav")
ENCODER = Variant("tiny.en", Format.COREML, Precision.FP16)
NAME = "ggml-tiny.en-encoder.mlmodelc"
FLOAT16 = 3e-3
"""The relative error that a dozen layers rounded to 11 bits may come to; wrong weights or positions come to 1."""


@pytest.fixture
def xcrun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its folder."""
    folder = tmp_path / "bin"
    put_xcrun(folder, monkeypatch, coremlc())
    return folder


@pytest.fixture
def stocked(store: UnifiedModelManager) -> UnifiedModelManager:
    """A store with the checkpoint of tiny.en."""
    import_checkpoint(store, ENCODER.model, hf_folder(ENCODER.model))
    return store


def random_folder(folder: Path, mel_bins: int) -> Path:
    return random_checkpoint.write_whole(folder / "hf", random_checkpoint.random_tensors(mel_bins), mel_bins)


def relative_error(found: Floats, expected: Floats) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def test_the_encoder_of_real_weights_hears_what_fp32_hears(tmp_path: Path) -> None:
    package = tmp_path / "encoder.mlpackage"
    write_package(open_checkpoint(hf_folder("tiny.en")), package)
    with wave.open(str(JFK)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    mel = np.asarray(FeatureExtractor()(np.pad(samples, (0, 480_000 - len(samples)))), np.float32)[:, :3000]
    found = Program(package).run(logmel_data=mel[None])["output"]
    fp32 = onnxruntime.InferenceSession(converted_folder("tiny.en", Format.ONNX, "fp32") / "encoder.onnx")
    (expected,) = fp32.run(["hidden"], {"mel": mel.T[None], "epos": np.arange(1500)})
    assert relative_error(found, expected) < FLOAT16


@pytest.mark.parametrize("mel_bins", [80, 128])
def test_any_shape_agrees_with_the_reference(tmp_path: Path, mel_bins: int) -> None:
    folder = random_folder(tmp_path, mel_bins)
    write_package(open_checkpoint(folder), tmp_path / "encoder.mlpackage")
    mel = np.random.default_rng(1).standard_normal((mel_bins, 2 * random_checkpoint.WINDOW)).astype(np.float32)
    found = Program(tmp_path / "encoder.mlpackage").run(logmel_data=mel[None])["output"]
    reference = Reference(load_file(folder / "model.safetensors"), random_checkpoint.HEADS)
    assert relative_error(found[0], reference.encode(mel)) < FLOAT16


def test_inputs_outputs_and_types_are_those_that_whisper_cpp_names(tmp_path: Path) -> None:
    write_package(open_checkpoint(hf_folder("tiny.en")), tmp_path / "encoder.mlpackage")
    program = Program(tmp_path / "encoder.mlpackage")
    found = {
        one.name: (tuple(one.type.multiArrayType.shape), one.type.multiArrayType.dataType)
        for one in (*program.description.input, *program.description.output)
    }
    float32 = program.description.input[0].type.multiArrayType.FLOAT32
    assert found == {"logmel_data": ((1, 80, 3000), float32), "output": ((1, 1500, 384), float32)}
    weights = tmp_path / "encoder.mlpackage/Data/com.apple.CoreML/weights/weight.bin"
    assert weights.stat().st_size < 2.01 * 8_208_384  # each of the encoder's numbers once, in float16


def test_the_space_that_it_asks_for_holds_what_it_makes(tmp_path: Path) -> None:
    source = hf_folder("tiny.en")
    write_package(open_checkpoint(source), tmp_path / "encoder.mlpackage")
    made = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert 2 * made < bytes_needed(source, Precision.FP16) < 5 * made


def test_numbers_that_float16_cannot_hold_are_refused(tmp_path: Path) -> None:
    folder = random_folder(tmp_path, 80)
    tensors = {name: array.astype(np.float32) for name, array in random_checkpoint.random_tensors(80).items()}
    tensors["model.encoder.layers.1.fc1.weight"][0, 0] = 1e6
    random_checkpoint.write_whole(folder, tensors, 80)
    with pytest.raises(UnsupportedCheckpoint, match=r"layers\.1\.fc1\.weight .* float16 cannot hold"):
        write_package(open_checkpoint(folder), tmp_path / "encoder.mlpackage")


def test_whisper_cpp_finds_it_beside_every_ggml_file(stocked: UnifiedModelManager, xcrun: Path) -> None:
    manifest = convert(stocked, ENCODER, Progress())
    for precision in (Precision.FP16, Precision.Q5_0, Precision.Q8_0):
        ggml = stocked.root / stocked.location(Variant("tiny.en", Format.GGML, precision))
        assert looked_for_by_whisper_cpp(ggml) == stocked.root / "ggml" / NAME
    assert sorted(path.name for path in (stocked.root / "ggml" / NAME).iterdir()) == [
        "coremldata.bin",
        "model.mil",
        "weights",
    ]
    assert stocked.file(ENCODER).name == NAME  # also behind the link: CoreML knows a model by how its folder ends
    assert {entry.path for entry in manifest.files} == {
        f"{NAME}/coremldata.bin",
        f"{NAME}/model.mil",
        f"{NAME}/weights/weight.bin",
    }
    assert not list(stocked.root.rglob("*.mlpackage"))


def looked_for_by_whisper_cpp(path: Path) -> Path:
    """As src/whisper.cpp's whisper_get_coreml_path_encoder says it."""
    name = str(path).rpartition(".")[0]
    return Path(re.sub(r"-q._.$", "", name) + "-encoder.mlmodelc")


def test_it_is_listed_verified_and_removed_like_any_variant(
    stocked: UnifiedModelManager, xcrun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    convert(stocked, ENCODER, Progress())
    root = ["--root", str(stocked.root)]
    assert main(["list", *root]) == Exit.DONE
    assert f"{stocked.root}/ggml/{NAME}" in capsys.readouterr().out
    assert main(["path", "tiny.en", "--format", "coreml", *root]) == Exit.DONE
    assert capsys.readouterr().out.strip() == str(stocked.file(ENCODER))
    assert main(["validate", "--models", "tiny.en", "--format", "coreml", *root]) == Exit.DONE
    weights = stocked.file(ENCODER) / "weights/weight.bin"
    with weights.open("r+b") as file:
        file.seek(1000)
        file.write(b"\x00\x01")
    assert main(["verify", "--models", "tiny.en", "--format", "coreml", *root]) == Exit.FAILED
    assert "weight.bin is not the file that was published" in capsys.readouterr().err
    assert main(["remove", "tiny.en", "--format", "coreml", "--yes", *root]) == Exit.DONE
    assert not (stocked.root / "ggml").exists()


def test_it_is_made_once_and_again_when_damaged(stocked: UnifiedModelManager, xcrun: Path) -> None:
    first = convert(stocked, ENCODER, Progress())
    (stocked.file(ENCODER) / "model.mil").write_bytes(b"damaged")
    assert convert(stocked, ENCODER, Progress()).made_from == first.made_from
    assert stocked.damage(ENCODER) == []
    (xcrun / "xcrun").unlink()
    convert(stocked, ENCODER, Progress())


def test_killed_while_coremlc_works_it_is_finished_when_run_again(
    stocked: UnifiedModelManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill = "import os, signal; os.kill(os.getppid(), signal.SIGKILL); sys.exit(1)"
    put_xcrun(tmp_path / "bin", monkeypatch, coremlc(halfway=kill))
    command = [sys.executable, "-c", CONVERT, str(stocked.root)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == -9
    assert stocked.manifest(ENCODER) is None
    assert stocked.holds(ENCODER)
    put_xcrun(tmp_path / "bin", monkeypatch, coremlc())
    convert(stocked, ENCODER, Progress())
    assert stocked.damage(ENCODER) == []
    assert len(list((stocked.root / "ggml").iterdir())) == 2  # the name, and what it leads to


CONVERT = """\
import sys
from pathlib import Path
from whisper_models.artifact import Format, Precision, Variant
from whisper_models.convert.job import convert
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager
convert(UnifiedModelManager(Path(sys.argv[1])), Variant("tiny.en", Format.COREML, Precision.FP16), Progress())
"""


def test_without_xcode_it_says_what_to_install(
    stocked: UnifiedModelManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LibraryMissing, match=r"xcrun is not on the PATH.*install Xcode, then run the same command"):
        convert(stocked, ENCODER, Progress())


def test_what_coremlc_says_is_told_with_what_to_do(
    stocked: UnifiedModelManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = "#!/bin/sh\necho 'xcrun: error: unable to find utility \"coremlc\"' >&2\nexit 72\n"
    put_xcrun(tmp_path / "bin", monkeypatch, missing)
    with pytest.raises(ConversionFailed, match=r"exit status 72: xcrun: error: unable to find.*xcode-select --switch"):
        convert(stocked, ENCODER, Progress())
    put_xcrun(tmp_path / "bin", monkeypatch, "#!/bin/sh\n")
    with pytest.raises(ConversionFailed, match=rf"made no {NAME} \(exit status 0: it said nothing\)"):
        convert(stocked, ENCODER, Progress())
    assert stocked.manifest(ENCODER) is None


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("sys.exit()", "without coremldata.bin, model.mil"),
        ("(compiled / 'weights/weight.bin').write_bytes(b'few')", "has 3 bytes of weights"),
    ],
)
def test_half_of_an_encoder_is_not_published(
    stocked: UnifiedModelManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: str, told: str
) -> None:
    put_xcrun(tmp_path / "bin", monkeypatch, coremlc(halfway=spoil))
    with pytest.raises(ConversionFailed, match=told):
        convert(stocked, ENCODER, Progress())
    assert stocked.manifest(ENCODER) is None


def test_optimize_for_a_mac_makes_it_on_macos(
    stocked: UnifiedModelManager, xcrun: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the three that a Mac is best served with only this one: the others are made and heard by other tests."""
    monkeypatch.setattr(targets, "PLATFORM", targets.MACOS)
    monkeypatch.setattr(optimize, "TARGETS", {"mac": replace(targets.MAC, choices=targets.MAC.choices[-1:])})
    command = ["optimize", "--target", "mac", "--models", "tiny.en", "--root", str(stocked.root), "--json"]
    assert main(command) == Exit.DONE
    said = capsys.readouterr()
    (told,) = map(json.loads, said.out.splitlines())
    assert (told["outcome"], told["format"], told["precision"], told["path"]) == (
        "Ready",
        "coreml",
        "fp16",
        f"ggml/{NAME}",
    )
    assert "Not here: Validation does not hear the CoreML encoder" in said.err
    assert (stocked.root / "ggml" / NAME / "coremldata.bin").is_file()
