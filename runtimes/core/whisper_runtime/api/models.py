"""What can be asked for: the models with their names and capabilities, ours and in OpenAI's form, and the devices."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from whisper_runtime.errors import ModelNotFound
from whisper_runtime.runtime import Runtime
from whisper_runtime.serving.lifecycle import NOT_LOADED


def model_routes(runtime: Runtime) -> APIRouter:
    """The endpoints over one runtime."""
    routes = APIRouter()

    @routes.get("/models", summary="The models served")
    @routes.get("/api/models", summary="The models served")
    async def models() -> dict[str, Any]:
        return {"models": [_model(runtime)], "default": runtime.names.model}

    @routes.get("/api/device-info", summary="The devices, and the one in use")
    async def device_info() -> dict[str, Any]:
        return _devices(runtime)

    @routes.get("/v1/models", summary="OpenAI's list of models")
    async def openai_models() -> dict[str, Any]:
        return {"object": "list", "data": [_openai_model(name, runtime) for name in runtime.names.every]}

    @routes.get("/v1/models/{name:path}", summary="One model, by any of its names")
    async def openai_model(name: str) -> dict[str, Any]:
        if name not in runtime.names.every:
            raise ModelNotFound(f"model {name!r} is not served here", param="model")
        return _openai_model(name, runtime)

    return routes


def _model(runtime: Runtime) -> dict[str, Any]:
    info, artifact = runtime.engine.info, runtime.artifact
    return {
        "id": runtime.names.model,
        "aliases": list(runtime.names.aliases),
        "loaded": runtime.life.phase not in NOT_LOADED,
        "precision": artifact.precision,
        "size_bytes": artifact.size_bytes,
        "languages": list(info.languages),
        "capabilities": sorted(runtime.capabilities),
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


def _openai_model(name: str, runtime: Runtime) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": runtime.artifact.written_at, "owned_by": "whisper"}
