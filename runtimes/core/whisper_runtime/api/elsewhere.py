"""What only other runtimes do. Answered 421, on which the router asks the next runtime of the chain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response

from whisper_runtime.errors import UnsupportedHere
from whisper_runtime.runtime import Runtime

ELSEWHERE = (
    ("POST", "/transcribe/enhanced", "gpu"),
    ("POST", "/transcribe/diarized", "gpu"),
    ("POST", "/alignment/word-level", "gpu"),
    ("POST", "/diarization/multi-model", "gpu"),
    ("GET", "/performance/gpu", "gpu"),
    ("GET", "/api/metal/status", "mac"),
    ("GET", "/api/coreml/models", "mac"),
    ("GET", "/api/power/status", "npu"),
    ("POST", "/api/power/profile", "npu"),
    ("GET", "/api/thermal/status", "npu"),
)
"""Method, path, and the runtimes that answer it."""


def elsewhere_routes(runtime: Runtime) -> APIRouter:
    """The endpoints that no engine here has."""
    routes = APIRouter()
    for method, path, where in ELSEWHERE:
        routes.add_api_route(path, _refusing(runtime, where), methods=[method], summary=f"On {where} only")
    return routes


def _refusing(runtime: Runtime, where: str) -> Callable[[Request], Awaitable[Response]]:
    async def refuse(request: Request) -> Response:
        asked = f"{request.method} {request.scope['route'].path}"
        here = runtime.engine.info.runtime
        why = "not there yet" if here in where.split() else f"there on {where} only; this is {here}"
        raise UnsupportedHere(f"{asked} is {why}")

    return refuse
