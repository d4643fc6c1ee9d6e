"""Which names a request may call the model by. Only names that the service does not know are an error."""

from __future__ import annotations

from dataclasses import dataclass

from whisper_models.catalogue import CATALOGUE, PREFIX, canonical

from whisper_runtime.errors import ModelNotFound

OPENAI_NAME = "whisper-1"


@dataclass(frozen=True, slots=True)
class Names:
    """The model served, and the other names that it answers to."""

    model: str
    served: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        """All names, each once, the model's own first."""
        return tuple(dict.fromkeys((self.model, f"{PREFIX}{self.model}", OPENAI_NAME, *self.served)))

    @property
    def aliases(self) -> tuple[str, ...]:
        """All names but the model's own."""
        return self.every[1:]

    def degraded(self, asked: str | None) -> bool:
        """Whether the name is that of another model of the catalogue, for which this one stands in.

        Raises:
            ModelNotFound: the service does not know it at all.
        """
        if not asked or canonical(asked) == self.model or asked == OPENAI_NAME:
            return False
        if asked in self.served or canonical(asked) in self.served:
            return canonical(asked) in CATALOGUE
        raise ModelNotFound(f"model {asked!r} is not served here; {', '.join(self.every)} are", param="model")
