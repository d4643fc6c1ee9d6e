"""A variant whose words are known to be wrong is served only to whoever asks for that."""

import subprocess
from pathlib import Path

import pytest
from whisper_models.artifact import Canary, Format, Precision, Validation, Variant
from whisper_models.store import UnifiedModelManager

from tests.contract.runtime.process import COMMAND, free_port, model_flags
from tests.contract.runtime.service import MODEL
from tests.support.artifacts import linked_copy, onnx_store
from tests.support.words import JFK, JFK_WORDS, word_errors

INT8 = Variant(MODEL, Format.ONNX, Precision.INT8)


@pytest.fixture
def store(tmp_path: Path) -> UnifiedModelManager:
    """A store of its own, whose variant did not pass."""
    copy = UnifiedModelManager(linked_copy(onnx_store(MODEL), tmp_path / "store"))
    copy.record(INT8, Validation(similarity=0.7, threshold=0.95, transcripts=()), None)
    return copy


def test_the_runtime_ends_with_the_reason_and_the_figures(store: UnifiedModelManager, tmp_path: Path) -> None:
    word = tmp_path / "termination-log"
    word.touch()
    command = [*COMMAND, "serve", *model_flags(store.root), "--port", str(free_port()), "--termination-log", str(word)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1
    assert word.read_text().startswith(f"UnverifiedModel: {INT8} came out of its validation with a similarity of 0.700")


def test_it_serves_where_that_is_allowed(store: UnifiedModelManager) -> None:
    command = [*COMMAND, "transcribe", *model_flags(store.root), "--allow-unverified", str(JFK)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert word_errors(JFK_WORDS, done.stdout) == 0


def test_a_variant_that_no_longer_says_what_was_recorded_of_it_never_becomes_ready(
    store: UnifiedModelManager, tmp_path: Path
) -> None:
    word = tmp_path / "termination-log"
    word.touch()
    passed = Validation(similarity=1, threshold=0.95, transcripts=())
    store.record(INT8, passed, Canary(clip="jfk.wav", text="We choose to go to the Moon."))
    command = [*COMMAND, "serve", *model_flags(store.root), "--port", str(free_port()), "--termination-log", str(word)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1
    assert "instead of 'We choose to go to the Moon.'" in word.read_text()
