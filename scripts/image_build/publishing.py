"""Push images to a registry, for a cluster that they cannot be loaded into."""

from collections.abc import Sequence

from scripts.commands import output_of
from scripts.image_build.building import Built
from scripts.image_build.settings import Settings
from scripts.image_build.tools import choose_tool
from scripts.progress import Progress


def publish(built: Sequence[Built], registry: str, settings: Settings, progress: Progress) -> dict[str, str]:
    """Push each image; answers their references there by name. Credentials are those of the tool's own login."""
    tool = choose_tool(settings.storage)
    published = {}
    for image in built:
        target = f"{registry.rstrip('/')}/{image.reference.removeprefix('localhost/')}"
        for command in tool.publish(image.archive, image.reference, target):
            output_of(command)
        progress.say(f"pushed {target}")
        published[image.name] = target
    return published
