"""Three read-only pages of Envoy's admin interface for probes, Prometheus and the operator, and the way to drain it.

The admin interface itself can stop the proxy, so it listens on the loopback only.
"""

from whisper_operator.plan.service.envoy.connection_manager import http_connection_manager, listener, router_filter
from whisper_operator.plan.service.envoy.drain import drain_filters, drain_routes
from whisper_operator.plan.service.envoy.extension import LOOPBACK, Config, loopback_cluster, socket_address
from whisper_operator.plan.service.envoy.settings import RouterSettings

ADMIN = "admin"
READY_PATH = "/ready"
LIVE_PATH = "/live"
METRICS_PATH = "/stats/prometheus"
HEALTH_PATH = "/clusters"


def admin(settings: RouterSettings) -> Config:
    """The admin interface, for this pod alone."""
    return {"address": socket_address(LOOPBACK, settings.admin_port)}


def admin_cluster(settings: RouterSettings) -> Config:
    """The way from the statistics listener to the admin interface."""
    return loopback_cluster(ADMIN, settings.admin_port)


def stats_listener(settings: RouterSettings) -> Config:
    """The port for everything that looks after the router."""
    return listener(
        "stats",
        settings.address,
        settings.stats_port,
        http_connection_manager(
            stat_prefix="stats",
            # Draining waits for minutes, and says nothing meanwhile.
            stream_idle_timeout="0s",
            http_filters=[*drain_filters(settings.drain_timeout), router_filter()],
            route_config={
                "name": "stats",
                "virtual_hosts": [{"name": "stats", "domains": ["*"], "routes": _routes(settings)}],
            },
        ),
        # A proxy that refuses requests to protect its memory is alive and must go on saying so.
        drain_type="MODIFY_ONLY",
        bypass_overload_manager=True,
        ignore_global_conn_limit=True,
    )


def _routes(settings: RouterSettings) -> list[Config]:
    """Envoy's pages change nothing on GET. Draining has a key. All else is refused."""
    pages = [
        {"match": {**_get(path)}, "route": {"cluster": ADMIN, "timeout": "5s"}}
        for path in (READY_PATH, METRICS_PATH, HEALTH_PATH)
    ]
    live = {"match": _get(LIVE_PATH), "direct_response": {"status": 200, "body": {"inline_string": "live\n"}}}
    return [
        *pages,
        live,
        *drain_routes(settings.drain_key),
        {"match": {"prefix": "/"}, "direct_response": {"status": 404}},
    ]


def _get(path: str) -> Config:
    return {"path": path, "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]}
