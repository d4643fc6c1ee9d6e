"""Which cluster holds which slot: one file a slot, in /run, since links and processes do not outlive a reboot either.

The file names the cluster's folder. So a cluster finds its own remains, and remains whose folder is gone are
recognised as no one's.
"""

import os
from pathlib import Path

from tests.cluster.addresses import SLOTS
from tests.cluster.errors import ClusterError

HELD = Path("/run/whisper-cluster")


def held(folder: Path = HELD) -> dict[int, Path]:
    """Slot → the folder of the cluster that holds it."""
    return {int(file.name): Path(file.read_text()) for file in sorted(folder.glob("[0-9]*"))}


def of(directory: Path, folder: Path = HELD) -> list[int]:
    """The slots that this cluster holds: none or one."""
    return [slot for slot, holder in held(folder).items() if holder == directory]


def abandoned(folder: Path = HELD) -> list[int]:
    """The slots of clusters whose folder someone removed."""
    return [slot for slot, holder in held(folder).items() if not holder.exists()]


def claim(directory: Path, folder: Path = HELD) -> int:
    """Take the first free slot."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{os.getpid()}"
    draft.write_text(str(directory))  # a slot's file is there with its content, or not at all
    try:
        for slot in range(SLOTS):
            if _linked(folder / str(slot), draft):
                return slot
    finally:
        draft.unlink()
    holders = ", ".join(str(holder) for holder in held(folder).values())
    raise ClusterError(
        f"{SLOTS} clusters are up already ({holders}); end one: python3 -m tests.cluster --instance NAME down"
    )


def _linked(file: Path, draft: Path) -> bool:
    try:
        file.hardlink_to(draft)
    except FileExistsError:
        return False
    return True


def release(slot: int, folder: Path = HELD) -> None:
    (folder / str(slot)).unlink(missing_ok=True)
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
