"""What the routers themselves say about the runtimes, read from their statistics.

Pure: whoever asks the routers hands in the page that came back. The page is Envoy's own `/clusters?format=json`.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from whisper_operator.plan.service.envoy.cluster import CHAIN
from whisper_operator.plan.service.envoy.stats_listener import HEALTH_PATH
from whisper_operator.plan.types import TierHealth

STATS_PORT = 9902
"""Port of a router pod that serves the page."""
HEALTH_QUERY = f"{HEALTH_PATH}?format=json"
"""Path and query of the page."""


def view(page: bytes | None) -> dict[str, TierHealth] | None:
    """One router's view, by runtime, from its page; None where there was no good answer, or it is not such a page."""
    if page is None:
        return None
    try:
        clusters = json.loads(page)["cluster_statuses"]
        hosts = [host for one in clusters if one["name"] == CHAIN for host in one.get("host_statuses", ())]
        total = Counter(_runtime_of(host) for host in hosts)
        healthy = Counter(_runtime_of(host) for host in hosts if _is_healthy(host))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return {name: TierHealth(healthy[name], count) for name, count in total.items()}


def _runtime_of(host: Mapping[str, Any]) -> str:
    return str(host["locality"]["zone"])


def _is_healthy(host: Mapping[str, Any]) -> bool:
    """Envoy lists only what is wrong with a host, beside the health that its discovery states."""
    health = dict(host["health_status"])
    stated = health.pop("eds_health_status", "HEALTHY")
    return stated == "HEALTHY" and not any(health.values())
