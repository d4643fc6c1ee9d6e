"""Three read-only pages of Envoy's admin interface, and nothing else of it, for probes, Prometheus and the operator.

The admin interface itself can stop the proxy, so it listens on the loopback only.
"""

from .connection_manager import http_connection_manager, listener, router_filter
from .extension import Config, socket_address
from .settings import RouterSettings

ADMIN = "admin"
LOOPBACK = "127.0.0.1"
READY_PATH = "/ready"
LIVE_PATH = "/live"
METRICS_PATH = "/stats/prometheus"
HEALTH_PATH = "/clusters"


def admin(settings: RouterSettings) -> Config:
    return {"address": socket_address(LOOPBACK, settings.admin_port)}


def admin_cluster(settings: RouterSettings) -> Config:
    address = socket_address(LOOPBACK, settings.admin_port)
    return {
        "name": ADMIN,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": ADMIN,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }


def stats_listener(settings: RouterSettings) -> Config:
    return listener(
        "stats",
        settings.address,
        settings.stats_port,
        http_connection_manager(
            stat_prefix="stats",
            http_filters=[router_filter()],
            route_config={
                "name": "stats",
                "virtual_hosts": [{"name": "stats", "domains": ["*"], "routes": routes()}],
            },
        ),
        # A proxy that refuses requests to protect its memory is alive and must go on saying so.
        bypass_overload_manager=True,
        ignore_global_conn_limit=True,
    )


def routes() -> list[Config]:
    """Envoy's pages change nothing on GET; every other method and path is refused."""
    pages = [
        {"match": {**get(path)}, "route": {"cluster": ADMIN, "timeout": "5s"}}
        for path in (READY_PATH, METRICS_PATH, HEALTH_PATH)
    ]
    live = {"match": get(LIVE_PATH), "direct_response": {"status": 200, "body": {"inline_string": "live\n"}}}
    return [*pages, live, {"match": {"prefix": "/"}, "direct_response": {"status": 404}}]


def get(path: str) -> Config:
    return {"path": path, "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]}
