"""What a runtime says of its own state: health, probes, metrics.

Answered from memory on the event loop, never waiting for inference.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from whisper_runtime.runtime import Runtime
from whisper_runtime.serving.lifecycle import Phase
from whisper_runtime.serving.metrics import CONTENT_TYPE

_UP = frozenset({Phase.READY, Phase.DRAINING})
_STATUS = {Phase.READY: "ok", Phase.DRAINING: "draining", Phase.FAILED: "failed"}


def probe_routes(runtime: Runtime) -> APIRouter:
    """The endpoints over one runtime."""
    routes = APIRouter()

    @routes.get("/health", summary="The runtime in a few words")
    async def health() -> Response:
        return JSONResponse(_health(runtime), 200 if runtime.life.phase in _UP else 503)

    @routes.get("/livez", summary="The event loop turns")
    async def livez() -> Response:
        return _probe(runtime, ok=runtime.life.phase is not Phase.FAILED)

    @routes.get("/readyz", summary="The model is loaded, its checks passed, and requests are welcome")
    async def readyz() -> Response:
        return _probe(runtime, ok=runtime.life.ready)

    @routes.get("/startupz", summary="Loading and warming up are over")
    async def startupz() -> Response:
        return _probe(runtime, ok=runtime.life.started)

    @routes.get("/metrics", summary="Prometheus metrics")
    async def metrics() -> Response:
        return Response(runtime.metrics.text(), media_type=CONTENT_TYPE)

    return routes


def _status(runtime: Runtime) -> str:
    """Degraded: it serves, but not from the device that it was meant for."""
    degraded = runtime.life.ready and runtime.engine.info.device.fallback_reason is not None
    return "degraded" if degraded else _STATUS.get(runtime.life.phase, "starting")


def _probe(runtime: Runtime, *, ok: bool) -> Response:
    body = {"status": _status(runtime), "phase": runtime.life.phase}
    return JSONResponse(body, 200 if ok else 503)


def _health(runtime: Runtime) -> dict[str, Any]:
    life, admission, artifact = runtime.life, runtime.admission, runtime.artifact
    return {
        "status": _status(runtime),
        "phase": life.phase,
        "reason": life.reason,
        "service": runtime.service,
        "model": {"id": runtime.names.model, "precision": artifact.precision, "digest": artifact.digest},
        "device": runtime.engine.info.device.model_dump(),
        "queue": {
            "depth": admission.depth,
            "audio_seconds": round(admission.queued_seconds, 3),
            "capacity_seconds": admission.capacity_seconds,
        },
    }
