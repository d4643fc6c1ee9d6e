"""Where callers arrive: upload limits, identity of requests, and the routes to the chain."""

from whisper_operator.plan.service.envoy.access_log import access_log
from whisper_operator.plan.service.envoy.cluster import CHAIN, SESSIONS
from whisper_operator.plan.service.envoy.connection_manager import http_connection_manager, listener, router_filter
from whisper_operator.plan.service.envoy.extension import Config, duration, extension, typed
from whisper_operator.plan.service.envoy.local_replies import header, local_replies
from whisper_operator.plan.service.envoy.retry import ATTEMPTS_PER_TIER, find_job_policy, new_job_policy, retry_policy
from whisper_operator.plan.service.envoy.settings import MEBIBYTE, RouterSettings

BUFFER = "envoy.filters.http.buffer"
SESSION_HEADER = "x-session-id"


def public_listener(settings: RouterSettings) -> Config:
    """The listener that the Service NAME leads to."""
    return listener(
        "public",
        settings.address,
        settings.http_port,
        http_connection_manager(
            stat_prefix="public",
            # The caller's address is the connection's: nothing that a caller claims about itself is believed.
            use_remote_address=True,
            **_request_identity(),
            **_time_limits(settings),
            # Nothing bounds the memory that uploads take over HTTP/2: what refuses them when the heap is full sees
            # HTTP/1 only.
            codec_type="HTTP1",
            common_http_protocol_options={"headers_with_underscores_action": "REJECT_REQUEST"},
            normalize_path=True,
            merge_slashes=True,
            http_filters=[_upload_buffer(settings.max_upload_bytes), router_filter()],
            route_config={"name": "public", "virtual_hosts": [_virtual_host(settings)]},
            local_reply_config=local_replies(settings),
            access_log=access_log(),
        ),
        # What one connection may hold in each direction before the proxy stops reading from it.
        per_connection_buffer_limit_bytes=1024 * 1024,
    )


def _request_identity() -> Config:
    """Every answer carries `x-request-id`: the caller's own, unchanged, or a new one."""
    return {
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        # Envoy would otherwise write its tracing decision into the identifier.
        "request_id_extension": {
            "typed_config": typed("extensions.request_id.uuid.v3.UuidRequestIdConfig", pack_trace_reason=False)
        },
    }


def _time_limits(settings: RouterSettings) -> Config:
    """Transcribing is silent for minutes, so silence alone proves nothing; uploads have a limit of their own."""
    return {
        "request_headers_timeout": "10s",
        # Until the body is complete, after which the route's own limits apply.
        "request_timeout": duration(settings.request_timeout),
        "stream_idle_timeout": duration(settings.request_timeout),
    }


def _upload_buffer(limit: int) -> Config:
    """Take the whole upload before a runtime sees any of it.

    So a slow upload holds no place in a runtime's queue, a request can be sent again to another pod, and one that is
    too large is refused with 413 at once.
    """
    return extension(BUFFER, "extensions.filters.http.buffer.v3.Buffer", max_request_bytes=limit)


def _virtual_host(settings: RouterSettings) -> Config:
    tiers = len(settings.chain)
    return {
        "name": "chain",
        "domains": ["*"],
        # As much as may be uploaded is kept until the answer begins: without it only small uploads could be retried.
        "request_body_buffer_limit": settings.max_upload_bytes,
        "response_headers_to_add": [header("x-whisper-attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%")],
        "routes": [
            {"match": {"path": "/batch/process"}, **_to(CHAIN, settings, new_job_policy(tiers)), **_streamed_upload()},
            {"match": {"prefix": "/batch/"}, **_to(CHAIN, settings, find_job_policy(tiers))},
            {"match": _chunk_of_a_session(), **_to_session(settings)},
            {"match": {"prefix": "/"}, **_to(CHAIN, settings, retry_policy(tiers, settings.attempt_timeout))},
        ],
    }


def _chunk_of_a_session() -> Config:
    """Pods remember the answers to a session's chunks, each its own: one that is sent again must find that pod."""
    return {"path": "/api/process-chunk", "headers": [{"name": SESSION_HEADER, "present_match": True}]}


def _to(cluster: str, settings: RouterSettings, retries: Config) -> Config:
    return {"route": {"cluster": cluster, **_attempts(settings, retries)}}


def _to_session(settings: RouterSettings) -> Config:
    """To the session's own pod and then its sibling, from there on as any other request.

    A retry does not leave its tier in a cluster that hashes: https://github.com/envoyproxy/envoy/issues/9042
    """
    retries = retry_policy(len(settings.chain), settings.attempt_timeout)
    clusters = [*[SESSIONS] * ATTEMPTS_PER_TIER, *[CHAIN] * (1 + retries["num_retries"] - ATTEMPTS_PER_TIER)]
    by_attempt = extension(
        "envoy.router.cluster_specifier_plugin.priority_group",
        "extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier",
        priority_groups=[
            {"name": f"attempt {number}", "clusters": [{"cluster_name": cluster, "weight": 1}]}
            for number, cluster in enumerate(clusters, start=1)
        ],
    )
    return {
        "route": {
            "inline_cluster_specifier_plugin": {"extension": by_attempt},
            "hash_policy": [{"header": {"header_name": SESSION_HEADER}}],
            **_attempts(settings, retries | {"refresh_cluster_on_retry": True}),
        }
    }


def _attempts(settings: RouterSettings, retries: Config) -> Config:
    timeout = duration(settings.request_timeout)
    return {"timeout": timeout, "idle_timeout": timeout, "retry_policy": retries}


def _streamed_upload() -> Config:
    """A job's file goes through as it comes: it may be larger than what fits in here; runtimes have a limit."""
    whole = typed("extensions.filters.http.buffer.v3.BufferPerRoute", disabled=True)
    return {"request_body_buffer_limit": MEBIBYTE, "typed_per_filter_config": {BUFFER: whole}}
