"""What a runtime says of itself: probes, models, devices, metrics. Answered from memory, never waiting for inference."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from whisper_runtime.errors import ModelNotFound
from whisper_runtime.runtime import Runtime
from whisper_runtime.serving.lifecycle import Phase
from whisper_runtime.serving.metrics import CONTENT_TYPE

_UP = frozenset({Phase.READY, Phase.DRAINING})
_STATUS = {Phase.READY: "ok", Phase.DRAINING: "draining", Phase.FAILED: "failed"}


def status_routes(runtime: Runtime) -> APIRouter:
    """The endpoints over one runtime."""
    routes = APIRouter()

    @routes.get("/health", summary="The runtime in a few words")
    async def health() -> Response:
        return JSONResponse(_health(runtime), 200 if runtime.life.phase in _UP else 503)

    @routes.get("/livez", summary="The event loop turns")
    async def livez() -> Response:
        return _probe(runtime, ok=runtime.life.phase is not Phase.FAILED)

    @routes.get("/readyz", summary="The model is loaded, gave the right words, and requests are welcome")
    async def readyz() -> Response:
        return _probe(runtime, ok=runtime.life.ready)

    @routes.get("/startupz", summary="Loading and warming up are over")
    async def startupz() -> Response:
        return _probe(runtime, ok=runtime.life.started)

    @routes.get("/models", summary="The models served")
    @routes.get("/api/models", summary="The models served")
    async def models() -> dict[str, Any]:
        return {"models": [_model(runtime)], "default": runtime.names.model}

    @routes.get("/api/device-info", summary="The devices, and the one in use")
    async def device_info() -> dict[str, Any]:
        return _devices(runtime)

    @routes.get("/metrics", summary="Prometheus metrics")
    async def metrics() -> Response:
        return Response(runtime.metrics.text(), media_type=CONTENT_TYPE)

    @routes.get("/v1/models", summary="OpenAI's list of models")
    async def openai_models() -> dict[str, Any]:
        names = (runtime.names.model, *runtime.names.aliases)
        return {"object": "list", "data": [_openai_model(name) for name in names]}

    @routes.get("/v1/models/{name:path}", summary="One model, by any of its names")
    async def openai_model(name: str) -> dict[str, Any]:
        if name not in (runtime.names.model, *runtime.names.aliases):
            raise ModelNotFound(f"model {name!r} is not served here", param="model")
        return _openai_model(name)

    return routes


def _probe(runtime: Runtime, *, ok: bool) -> Response:
    body = {"status": _STATUS.get(runtime.life.phase, "starting"), "phase": runtime.life.phase}
    return JSONResponse(body, 200 if ok else 503)


def _health(runtime: Runtime) -> dict[str, Any]:
    life, admission = runtime.life, runtime.admission
    return {
        "status": _STATUS.get(life.phase, "starting"),
        "phase": life.phase,
        "reason": life.reason,
        "service": runtime.service,
        "model": {
            "id": runtime.names.model,
            "precision": runtime.artifact.precision,
            "digest": runtime.artifact.digest,
        },
        "device": runtime.engine.info.device.model_dump(),
        "queue": {
            "depth": admission.depth,
            "audio_seconds": round(admission.queued_seconds, 3),
            "capacity_seconds": admission.capacity_seconds,
        },
    }


def _model(runtime: Runtime) -> dict[str, Any]:
    info, artifact = runtime.engine.info, runtime.artifact
    return {
        "id": runtime.names.model,
        "aliases": list(runtime.names.aliases),
        "loaded": runtime.life.phase not in (Phase.STARTING, Phase.LOADING, Phase.FAILED),
        "precision": artifact.precision,
        "size_bytes": artifact.size_bytes,
        "languages": list(info.languages),
        "capabilities": sorted(info.capabilities),
    }


def _devices(runtime: Runtime) -> dict[str, Any]:
    info = runtime.engine.info
    return {
        "devices": [asdict(device) for device in info.devices],
        "active": info.device.model_dump(),
        "fallback_order": [device.name for device in info.devices],
        "power_profile": None,
        "temperature": None,
    }


def _openai_model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "whisper"}
