"""What keeps the proxy alive when everybody uploads at once.

Memory is the size of an upload times the requests under way, so a fixed number of requests would be too many large ones
or too few small ones. The heap itself is the measure: at nine tenths new requests get a 503 with a Retry-After, where
the kernel would have killed the proxy with everything in it.

That alone does not bound uploads that were let in before: fifty of 20 MiB at once took a heap of 128 MiB to 1.8 GiB. So
when the heap is full, whoever sends more of an upload then is refused as well; callers that did send all are answered.
"""

from whisper_operator.plan.service.envoy.extension import Config, extension
from whisper_operator.plan.service.envoy.settings import RouterSettings

HEAP = "envoy.resource_monitors.fixed_heap"
CONNECTIONS = "envoy.resource_monitors.global_downstream_max_connections"
MAX_CONNECTIONS = 8192


def overload_manager(settings: RouterSettings) -> Config:
    """Limits of memory and of connections."""
    return {
        "refresh_interval": "0.05s",
        "resource_monitors": [
            extension(
                HEAP,
                "extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                max_heap_size_bytes=settings.max_heap_bytes,
            ),
            extension(
                CONNECTIONS,
                "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                max_active_downstream_connections=MAX_CONNECTIONS,
            ),
        ],
        "actions": [
            {"name": "envoy.overload_actions.shrink_heap", "triggers": [_trigger(0.8)]},
            {"name": "envoy.overload_actions.stop_accepting_requests", "triggers": [_trigger(0.9)]},
        ],
        "loadshed_points": [
            {"name": "envoy.load_shed_points.http1_server_abort_dispatch", "triggers": [_trigger(1.0)]}
        ],
    }


def _trigger(share: float) -> Config:
    return {"name": HEAP, "threshold": {"value": share}}
