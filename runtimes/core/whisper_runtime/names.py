"""Which names a request may call the model by. Only names that the service does not know are an error."""

from __future__ import annotations

from dataclasses import dataclass

from whisper_models.catalogue import CATALOGUE, canonical

from whisper_runtime.errors import ModelNotFound

OPENAI_NAME = "whisper-1"


@dataclass(frozen=True, slots=True)
class Names:
    """The model served, and the other names that it answers to."""

    model: str
    served: tuple[str, ...] = ()

    @property
    def aliases(self) -> tuple[str, ...]:
        """Every other name, each once."""
        return tuple(
            name for name in dict.fromkeys((f"whisper-{self.model}", OPENAI_NAME, *self.served)) if name != self.model
        )

    def degraded(self, asked: str | None) -> bool:
        """Whether the name is that of another model of the catalogue, for which this one stands in.

        Raises:
            ModelNotFound: the service does not know it at all.
        """
        if not asked or canonical(asked) == self.model or asked == OPENAI_NAME:
            return False
        if asked in self.served or canonical(asked) in self.served:
            return canonical(asked) in CATALOGUE
        known = ", ".join((self.model, *self.aliases))
        raise ModelNotFound(f"model {asked!r} is not served here; {known} are", param="model")
