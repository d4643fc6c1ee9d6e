"""Around every request: its id, who serves it, a line in the log, a count, and the contract's error for whatever fails.

Plain ASGI, so that bodies stream through and a failure anywhere below still gets the headers.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from dataclasses import dataclass

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.errors import EngineError, RequestFailure
from whisper_runtime.runtime import Runtime
from whisper_runtime.serving.stop import Cancelled

_LOG = logging.getLogger("whisper_runtime.requests")
_SAFE_ID = re.compile(r"[\x21-\x7e]{1,128}")
_QUIET = frozenset({"/livez", "/readyz", "/startupz", "/health", "/metrics"})


@dataclass(slots=True)
class _Answer:
    """What went out."""

    status: int = 0


class Envelope:
    """Wraps the whole app."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app, self._runtime = app, runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        begun, answer = time.perf_counter(), _Answer()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers["x-whisper-runtime"] = self._runtime.engine.info.runtime
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Cancelled:
            answer.status = 499
        except Exception as error:  # noqa: BLE001 - the last place that can still answer
            await self._answer_failure(error, scope, receive, send_with_headers, answer)
        finally:
            self._report(scope, answer.status, time.perf_counter() - begun)

    async def _answer_failure(
        self, error: Exception, scope: Scope, receive: Receive, send: Send, answer: _Answer
    ) -> None:
        _LOG.error("request failed", exc_info=error, extra={"request_id": scope["state"]["request_id"]})
        if not answer.status:
            failure = EngineError(f"an unexpected {type(error).__name__}; the log has more under this request's id")
            await error_response(failure, scope["state"]["request_id"], self._runtime.service)(scope, receive, send)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        self._runtime.metrics.answered(endpoint_of(scope), status)
        _LOG.log(
            logging.DEBUG if scope["path"] in _QUIET and status < 500 else logging.INFO,  # noqa: PLR2004 - server errors
            "request",
            extra={
                "request_id": scope["state"]["request_id"],
                "method": scope["method"],
                "path": endpoint_of(scope),
                "status": status,
                "seconds": round(seconds, 4),
            },
        )


def endpoint_of(scope: Scope) -> str:
    """The route's own path, which is bounded, not the caller's."""
    return str(getattr(scope.get("route"), "path", "unknown"))


def error_response(error: RequestFailure, request_id: str, service: str) -> JSONResponse:
    """An error as the contract writes it."""
    return JSONResponse(error.body(request_id, service), error.status, headers=error.headers())
