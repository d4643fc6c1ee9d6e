"""What the router says in its own name, in the words of the contract: never a blank page, never plain text.

A runtime's own errors pass through untouched; these are for the moments when there is no runtime to ask.
"""

from dataclasses import dataclass
from datetime import timedelta

from whisper_operator.plan.service.envoy.extension import Config, duration
from whisper_operator.plan.service.envoy.settings import RouterSettings

SERVICE = "router"


@dataclass(frozen=True, slots=True)
class Reply:
    """One kind of refusal.

    Attributes:
        when: what selects it: status codes from/to (inclusive), and Envoy's response flags, if they matter.
        permanent: sending the same again cannot help (`x-should-retry: false`).
        try_again: sending it again soon may help (Retry-After).
    """

    statuses: tuple[int, int]
    code: str
    type: str
    message: str
    flags: tuple[str, ...] = ()
    status: int | None = None
    permanent: bool = False
    try_again: bool = False


# In this order: the first that fits is used.
REPLIES = (
    Reply(
        (413, 413),
        "audio_too_large",
        "invalid_request_error",
        "The upload is larger than this service takes ({limit} bytes). Send it in parts, or compress it.",
        permanent=True,
    ),
    Reply(
        (408, 408),
        "upload_timeout",
        "server_error",
        "The upload did not arrive in time ({timeout}). Send it again over a faster connection, or in parts.",
    ),
    Reply(
        (504, 504),
        "deadline_exceeded",
        "server_error",
        "No runtime finished this request in time ({patience}). Send shorter audio, or raise routing.timeouts.",
    ),
    Reply(
        (500, 503),
        "no_healthy_runtime",
        "server_error",
        "No runtime of this service could take the request. Try again shortly; `kubectl get wsvc` tells why.",
        # Nobody healthy; no connection; a connection that broke, here or there; no HTTP; retries that ran out.
        flags=("UH", "UF", "UC", "UR", "LR", "UPE", "URX"),
        status=503,
        try_again=True,
    ),
    Reply(
        # Without those flags: the circuit breaker, or the overload manager, which guards the proxy's memory.
        (503, 503),
        "queue_full",
        "server_error",
        "Too many requests are under way at once. Try again shortly.",
        try_again=True,
    ),
    Reply(
        # The same while an upload arrives: the overload manager ends it with a plain 500, and sets no flag yet.
        (500, 500),
        "queue_full",
        "server_error",
        "Too many uploads are under way at once. Try again shortly.",
        status=503,
        try_again=True,
    ),
    Reply(
        (400, 499),
        "invalid_request",
        "invalid_request_error",
        "The request could not be understood by the router (%RESPONSE_CODE_DETAILS%).",
        permanent=True,
    ),
)


def local_replies(settings: RouterSettings) -> Config:
    """The mapping of every answer that Envoy makes by itself."""
    timeout, attempt = duration(settings.request_timeout), settings.attempt_timeout
    facts = {
        "limit": str(settings.max_upload_bytes),
        "timeout": timeout,
        "patience": timeout if attempt is None else f"{duration(attempt)} for each attempt, {timeout} in all",
    }
    return {"mappers": [_mapper(reply, facts, settings.probe.interval) for reply in REPLIES]}


def _mapper(reply: Reply, facts: dict[str, str], retry_after: timedelta) -> Config:
    message = reply.message.format(**facts)
    changed_status = {} if reply.status is None else {"status_code": reply.status}
    return {
        "filter": _when(reply),
        **changed_status,
        "headers_to_add": [header(name, value) for name, value in _headers(reply, retry_after).items()],
        "body_format_override": {"json_format": _body(reply, message), "content_type": "application/json"},
    }


def _body(reply: Reply, message: str) -> Config:
    return {
        "error": {"message": message, "type": reply.type, "code": reply.code, "param": None},
        "request_id": "%REQ(X-REQUEST-ID)%",
        "service": SERVICE,
    }


def _headers(reply: Reply, retry_after: timedelta) -> dict[str, str]:
    found = {"x-whisper-runtime": SERVICE}
    if reply.permanent:
        found["x-should-retry"] = "false"
    if reply.try_again:
        milliseconds = round(retry_after.total_seconds() * 1000)
        found |= {"retry-after": str(-(-milliseconds // 1000)), "retry-after-ms": str(milliseconds)}
    return found


def header(name: str, value: str) -> Config:
    """A header that replaces one of the same name."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _when(reply: Reply) -> Config:
    low, high = reply.statuses
    filters = [_status("GE", low), _status("LE", high)] if low != high else [_status("EQ", low)]
    if reply.flags:
        filters.append({"response_flag_filter": {"flags": list(reply.flags)}})
    return filters[0] if len(filters) == 1 else {"and_filter": {"filters": filters}}


def _status(operator: str, code: int) -> Config:
    # The runtime key is a required field of Envoy's; nothing of ours overrides it.
    return {
        "status_code_filter": {
            "comparison": {
                "op": operator,
                "value": {"default_value": code, "runtime_key": f"local_reply.{operator}.{code}"},
            }
        }
    }
