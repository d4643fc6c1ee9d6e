"""What FP32 ONNX of the same weights makes of the samples: what every other variant is compared with.

It is taken from where it is cheapest: another variant's validation, else FP32 ONNX in the store, else FP32 ONNX made
for the moment in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from whisper_models.artifact import Format, Manifest, Precision, Variant
from whisper_models.clips import Clip
from whisper_models.convert import onnx
from whisper_models.errors import SourceMissing
from whisper_models.progress import Progress, Stage
from whisper_models.store import UnifiedModelManager, require_sound
from whisper_models.store.files import require_space
from whisper_models.validate.hearing import hear

Texts = tuple[str, ...]
_PREFIX = "whisper-reference-"


class Reference:
    """The expected texts of the weights that `manifest` was made from."""

    def __init__(self, store: UnifiedModelManager, manifest: Manifest, samples: Sequence[Clip]) -> None:
        self._store, self._samples = store, samples
        self._variant = Variant(manifest.model, Format.ONNX, Precision.FP32)
        self._base = store.complete(Variant.base(manifest.model))
        self._weights = manifest.made_from or (self._base.digest if self._base else None)

    def texts(self, tools: Mapping[str, str], progress: Progress) -> Texts:
        """One for each sample; `tools` is what they depend on.

        Raises:
            SourceMissing: neither FP32 ONNX nor the checkpoint of these weights is in the store.
            ModelFailure: what converting and hearing raise.
        """
        recorded = self._recorded(tools)
        if recorded is not None:
            return recorded
        there = self._store.complete(self._variant)
        if there and there.made_from == self._weights and not self._store.damage(self._variant):
            return hear(self._variant, self._store.path(self._variant), there.size_bytes, self._samples)
        with self._made(progress) as folder:
            size = sum(path.stat().st_size for path in folder.iterdir())
            return hear(self._variant, folder, size, self._samples)

    def _recorded(self, tools: Mapping[str, str]) -> Texts | None:
        """From a sibling that was compared with the same texts."""
        if self._weights is None:
            return None
        for sibling in self._store.manifests():
            found = sibling.validation
            if found and sibling.made_from == self._weights and tools.items() <= found.tools.items():
                return tuple(transcript.expected for transcript in found.transcripts)
        return None

    @contextmanager
    def _made(self, progress: Progress) -> Iterator[Path]:
        base = self._base
        if base is None or base.digest != self._weights:
            raise SourceMissing(
                f"{self._store.root} has neither {self._variant} nor the checkpoint of the weights to compare with: "
                f"download {self._variant.model} again, then convert this variant again"
            )
        require_sound(self._store, base, progress)
        _sweep()
        with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-") as folder:
            source = self._store.path(base.variant)
            require_space(Path(folder), onnx.bytes_needed(source, Precision.FP32))
            progress.begin(Stage.CONVERTING)
            onnx.convert(source, Path(folder), Precision.FP32, progress.file)
            progress.begin(Stage.VALIDATING)
            yield Path(folder)


def _sweep() -> None:
    """Take away what a killed process of this machine left: FP32 of a large model is gigabytes."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(ValueError, PermissionError):
            try:
                os.kill(int(owner), 0)
            except ProcessLookupError:
                shutil.rmtree(folder, ignore_errors=True)
