"""What this machine lacks for building images, and the Debian packages that bring it."""

import shutil
from collections.abc import Iterator

from scripts.image_build.base import remembered
from scripts.image_build.settings import Settings
from scripts.image_build.tools import MissingToolError, choose_tool
from tests.cluster.doctor import Finding


def findings(settings: Settings) -> Iterator[Finding]:
    """Everything that is missing; nothing where images can be built."""
    try:
        choose_tool(settings.storage)
    except MissingToolError as error:
        yield Finding(str(error), ("buildah",))
    if settings.base != "public" and not remembered(settings) and not shutil.which("mmdebstrap"):
        packages = ("mmdebstrap", "debian-archive-keyring")
        yield Finding(
            "mmdebstrap is missing, which makes the base image where no image registry can be reached: "
            f"apt-get install {' '.join(packages)} (BASE=public does without)",
            packages,
        )
