"""Look before anything is started: what is missing is installed where that is possible, or said with how to get it."""

import os
import shutil
from collections.abc import Iterator

from scripts.image_build import requirements
from scripts.image_build.settings import Settings as ImageSettings
from scripts.progress import Progress
from tests.cluster import doctor
from tests.cluster.doctor import Finding


class MissingError(Exception):
    """This machine lacks something that a person must install."""


def prepare(provider: str, images: ImageSettings, progress: Progress) -> None:
    """Install what Debian packages bring, as root; raises MissingError listing what is still missing."""
    found = list(_findings(provider, images))
    packages = sorted({package for finding in found for package in finding.packages})
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        progress.say(f"this machine: apt-get install {' '.join(packages)}")
        doctor.install(found)
        found = list(_findings(provider, images))
    if found:
        listed = "\n".join(f"- {finding.says}" for finding in found)
        raise MissingError(f"this machine lacks what the demo needs:\n{listed}")
    progress.say("this machine: has what the demo needs")


def _findings(provider: str, images: ImageSettings) -> Iterator[Finding]:
    if provider == "builtin":
        yield from doctor.findings()
    if not shutil.which("curl"):
        yield Finding("curl is missing: apt-get install curl", ("curl",))
    yield from requirements.findings(images)
