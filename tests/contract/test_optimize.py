"""A target's variants are made and held against the full weights in one go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from whisper_models.artifact import Variant
from whisper_models.cli import main
from whisper_models.optimize import targets
from whisper_models.optimize.targets import TARGETS
from whisper_models.outcome import Exit
from whisper_models.store import UnifiedModelManager

from tests.support.artifacts import linked_copy, onnx_store, store_with


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_gets_its_variants_each_heard_by_its_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    """The preferred one is made here; the others are there from before, and so is what they are held against."""
    store = UnifiedModelManager(linked_copy(onnx_store("tiny.en", "fp32"), tmp_path / "models"))
    wanted = TARGETS[target].variants("tiny.en", targets.PLATFORM)
    for variant in wanted[1:]:
        linked_copy(store_with(variant), store.root)
        assert store.manifest(variant).validation is None  # type: ignore[union-attr] # it is there
    assert store.manifest(wanted[0]) is None
    code = main(["optimize", "--target", target, "--models", "tiny.en", "--json", "--root", str(store.root)])
    said = capsys.readouterr()
    assert code == Exit.DONE, said.err
    told = [json.loads(line) for line in said.out.splitlines()]
    assert [(row["outcome"], Variant("tiny.en", row["format"], row["precision"])) for row in told] == [
        ("Ready", variant) for variant in wanted
    ]
    for variant, row in zip(wanted, told, strict=True):
        found = store.manifest(variant)
        assert found
        assert found.validation
        assert found.validation.similarity == row["similarity"] >= found.validation.threshold
        assert found.canary
    for choice in TARGETS[target].made_on(targets.PLATFORM):
        assert f"{choice}: {choice.why}" in said.err
    for sentence in TARGETS[target].cannot_on(targets.PLATFORM):
        assert f"Not here: {sentence}" in said.err
