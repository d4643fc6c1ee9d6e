"""Taking a cluster away by what the kernel knows of it, so that it works after any crash, at any point."""

from tests.cluster import cgroups, network, slots
from tests.cluster.addresses import Addresses
from tests.cluster.cgroups import Cgroups
from tests.cluster.control_plane import VOLUMES_MOUNT


def remove(slot: int, groups: Cgroups) -> None:
    """End and remove all that is in a slot, and give the slot back; the last one leaves the host as it was."""
    plan = Addresses(slot)
    cgroups.end(groups, plan.prefix)
    network.remove_all(plan)
    if list(slots.held()) == [slot]:
        network.restore_forwarding(slots.HELD)
        network.forget_namespaces()
        if VOLUMES_MOUNT.exists() and not any(VOLUMES_MOUNT.iterdir()):
            VOLUMES_MOUNT.rmdir()
    slots.release(slot)
