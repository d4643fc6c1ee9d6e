"""What both custom resources share: metadata as far as planning needs it, and the rules about names."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from whisper_operator.api import API_VERSION
from whisper_operator.api.schema import LABEL_NAME, Part

NAME_LIMIT = 52
"""Leaves room for the longest suffix that a derived name adds within 63 characters."""

NAME_RULES = (
    (
        f"self.metadata.name.matches('{LABEL_NAME}')",
        "metadata.name must be lower-case letters, digits and '-' and begin with a letter: Services are named after it",
    ),
    (
        f"size(self.metadata.name) <= {NAME_LIMIT}",
        f"metadata.name must not be longer than {NAME_LIMIT} characters: names derived from it must fit in 63",
    ),
)


class Metadata(Part):
    """The part of an object's metadata that planning reads."""

    name: str
    namespace: str
    uid: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Mapping[str, str] = Field(default_factory=dict)


class Resource(Part):
    """A custom resource as it was read."""

    api_version: Annotated[str, Field(max_length=64)] = API_VERSION
    kind: Annotated[str, Field(max_length=64)]
    metadata: Metadata

    def owner_reference(self) -> dict[str, Any]:
        """The reference that makes an object ours, and lets the garbage collector remove it with us."""
        return {
            "apiVersion": API_VERSION,
            "kind": self.kind,
            "name": self.metadata.name,
            "uid": self.metadata.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }


R = TypeVar("R", bound=Resource)


def read(kind: type[R], manifest: Mapping[str, Any]) -> R:
    """A custom resource as it was stored; a status of older rules is left out, as nobody but us can correct it."""
    try:
        return kind.model_validate(manifest)
    except ValidationError as error:
        if any(one["loc"][:1] != ("status",) for one in error.errors()):
            raise
        return kind.model_validate({**manifest, "status": {}})
