"""The runtimes as Envoy sees them: one cluster for the chain, one priority for each tier; and the same for sessions."""

from whisper_operator.plan.service.envoy.extension import Config, extension, socket_address, typed
from whisper_operator.plan.service.envoy.health import health_checks, outlier_detection
from whisper_operator.plan.service.envoy.settings import LoadBalancing, RouterSettings, Tier

CHAIN = "chain"
SESSIONS = "sessions"
# What may be under way at once. Retries have the same bound: with Envoy's default of three, a busy pod turned 130 of
# 200 requests into errors although its sibling was idle.
IN_FLIGHT = 1024
TCP_LEVEL, TCP_USER_TIMEOUT = 6, 18


def chain_cluster(settings: RouterSettings) -> Config:
    """Where requests go: any pod is as good as another, and the least busy is best."""
    return _cluster(CHAIN, settings, _load_balancing(settings.load_balancing))


def sessions_cluster(settings: RouterSettings) -> Config:
    """The same pods for requests that belong together: all of a session go to one, whichever router they come through.

    A cluster of its own, since Envoy balances a whole cluster in one way. It learns by itself who is healthy.
    """
    return _cluster(SESSIONS, settings, _ring())


def _cluster(name: str, settings: RouterSettings, load_balancing: Config) -> Config:
    return {
        "name": name,
        "cluster_type": _dns(),
        # Connecting takes a millisecond or never succeeds: a pod whose node is gone costs half a second.
        "connect_timeout": "0.5s",
        "load_balancing_policy": load_balancing,
        "common_lb_config": {
            # Never send to pods that are known to be sick, however few are left: the next tier or an honest 503 is
            # better.
            "healthy_panic_threshold": {"value": 0},
            # Envoy would gather changes of health for a second before it acts on them: a second of requests sent to
            # a pod that is known to be gone.
            "update_merge_window": "0s",
        },
        # The address of a pod that has gone may be someone else's a moment later.
        "ignore_health_on_host_removal": True,
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": IN_FLIGHT,
                    "max_pending_requests": IN_FLIGHT,
                    "max_requests": IN_FLIGHT,
                    "max_retries": IN_FLIGHT,
                }
            ]
        },
        **_lost_nodes(),
        "typed_extension_protocol_options": _http_options(),
        "health_checks": health_checks(settings.probe),
        "outlier_detection": outlier_detection(settings.attempt_timeout),
        "load_assignment": {
            "cluster_name": name,
            # A tier serves while it has one healthy pod. With Envoy's 1.4 a third of the requests leaves a tier when
            # half of its pods are down.
            "policy": {"overprovisioning_factor": 100000},
            "endpoints": [_locality(tier, priority) for priority, tier in enumerate(settings.chain)],
        },
    }


def _dns() -> Config:
    """Pods come and go in DNS, so a new one needs no new configuration. A name without addresses is an empty tier."""
    return extension(
        "envoy.clusters.dns",
        "extensions.clusters.dns.v3.DnsCluster",
        dns_refresh_rate="2s",
        dns_failure_refresh_rate={"base_interval": "1s", "max_interval": "2s"},
        dns_lookup_family="V4_PREFERRED",
    )


def _load_balancing(policy: LoadBalancing) -> Config:
    chosen = {
        # The least busy of three picked at random: seven times of eight the idle one of two pods. Not the least
        # busy of all: a pod that answers 503 at once is never busy, so that a retry would go to it again and again.
        LoadBalancing.LEAST_REQUEST: extension(
            "envoy.load_balancing_policies.least_request",
            "extensions.load_balancing_policies.least_request.v3.LeastRequest",
            choice_count=3,
        ),
        LoadBalancing.ROUND_ROBIN: extension(
            "envoy.load_balancing_policies.round_robin",
            "extensions.load_balancing_policies.round_robin.v3.RoundRobin",
        ),
        LoadBalancing.RANDOM: extension(
            "envoy.load_balancing_policies.random",
            "extensions.load_balancing_policies.random.v3.Random",
        ),
    }[policy]
    return {"policies": [{"typed_extension_config": chosen}]}


def _ring() -> Config:
    """A pod that comes or goes moves its own share of the sessions and leaves the others where they are."""
    ring = extension(
        "envoy.load_balancing_policies.ring_hash", "extensions.load_balancing_policies.ring_hash.v3.RingHash"
    )
    return {"policies": [{"typed_extension_config": ring}]}


def _lost_nodes() -> Config:
    """A node that vanishes sends no reset. Without both of these, 22 of 140 requests in flight never came back."""
    return {
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_probes": 2, "keepalive_time": 1, "keepalive_interval": 1}
        },
        "upstream_bind_config": {
            "socket_options": [
                {
                    "description": "TCP_USER_TIMEOUT in milliseconds: give up on bytes that nobody acknowledges",
                    "level": TCP_LEVEL,
                    "name": TCP_USER_TIMEOUT,
                    "int_value": 3000,
                    "state": "STATE_PREBIND",
                }
            ]
        },
    }


def _http_options() -> Config:
    """Close idle connections before a runtime does, which is after five seconds: no request must meet that."""
    return {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
            "extensions.upstreams.http.v3.HttpProtocolOptions",
            common_http_protocol_options={"idle_timeout": "4s"},
            explicit_http_config={"http_protocol_options": {}},
        )
    }


def _locality(tier: Tier, priority: int) -> Config:
    """One tier. Its zone carries the runtime's name into the statistics, where the operator reads it back."""
    return {
        "priority": priority,
        "locality": {"zone": tier.runtime},
        "lb_endpoints": [{"endpoint": {"address": socket_address(host, tier.port)}} for host in tier.hosts],
    }
