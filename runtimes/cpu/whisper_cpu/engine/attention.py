"""Which attention the encoder takes: ours in bf16, a library that ONNX Runtime loads, or ONNX Runtime's own in 32 bits.

Ours takes half the time, and is there where a processor has the products for it and a compiler was at hand when this
package was installed (`native/`).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whisper_cpu.engine import processor
from whisper_cpu.settings import AttentionMode

_LIBRARY = "whisper_cpu.engine._attention"
_HEAD = 64
"""Numbers of a head in every model of Whisper's makers, and the only size that our attention takes."""


@dataclass(frozen=True, slots=True)
class Attention:
    """The library to be loaded, or why there is none."""

    library: Path | None
    why: str
    missing: bool = False
    """Whether only the library is missing, which whoever installed this package can change."""

    @property
    def described(self) -> str:
        """For people."""
        return f"attention in {'bf16' if self.library else '32 bits'}: {self.why}"


def choose(mode: AttentionMode, precision: str, config: dict[str, Any]) -> Attention:
    """What a variant's encoder takes on this processor; `config` is the model's config.json."""
    if mode == "exact":
        return Attention(None, "so it was asked for")
    if precision == "fp32":
        return Attention(None, "the variant is fp32")
    if (size := config["d_model"] // config["encoder_attention_heads"]) != _HEAD:
        return Attention(None, f"the model's heads have {size} numbers, not {_HEAD}")
    if lacking := processor.lacks_for_bf16():
        return Attention(None, f"the processor has no {lacking}")
    if not (library := _installed()):
        return Attention(
            None, "it was not compiled: install whisper-cpu again where there is a C compiler", missing=True
        )
    return Attention(library, f"the processor has {processor.BF16[-1]}")


def _installed() -> Path | None:
    found = importlib.util.find_spec(_LIBRARY)
    return Path(found.origin) if found and found.origin else None
