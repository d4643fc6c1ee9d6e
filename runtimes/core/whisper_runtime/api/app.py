"""The same app for every runtime: `create_app(engine, artifact, settings)`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from whisper_runtime.api.batch import batch_routes
from whisper_runtime.api.chunks import chunk_routes
from whisper_runtime.api.document import document
from whisper_runtime.api.elsewhere import elsewhere_routes
from whisper_runtime.api.middleware import Envelope, endpoint_of, error_response
from whisper_runtime.api.models import model_routes
from whisper_runtime.api.openai import openai_routes
from whisper_runtime.api.probes import probe_routes
from whisper_runtime.api.transcriptions import transcription_routes
from whisper_runtime.engine import Artifact, Engine
from whisper_runtime.errors import InvalidRequest, RequestFailure
from whisper_runtime.runtime import Runtime
from whisper_runtime.settings import Settings

ROUTES = (
    transcription_routes,
    openai_routes,
    chunk_routes,
    batch_routes,
    probe_routes,
    model_routes,
    elsewhere_routes,
)
"""In the order in which a request is compared with them."""
_SHOWN = 200


def create_app(engine: Engine, artifact: Artifact, settings: Settings) -> FastAPI:
    """The app over an engine that is not loaded yet; its lifespan loads it. `app.state.runtime` is what it serves."""
    runtime = Runtime(engine, artifact, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(runtime.start()), asyncio.create_task(runtime.watch())]
        yield
        runtime.batch.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(runtime.close)

    routers = [routes(runtime) for routes in ROUTES]
    routes = [route for router in routers for route in router.routes]
    app = FastAPI(
        title=runtime.service, version="1", routes=routes, lifespan=lifespan, docs_url="/docs", redoc_url=None
    )
    app.state.runtime = runtime
    app.openapi = partial(document, app, runtime)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    app.add_middleware(Envelope, runtime=runtime)
    _answer_errors(app, runtime, _Paths(routers))
    return app


def _answer_errors(app: FastAPI, runtime: Runtime, paths: _Paths) -> None:
    @app.exception_handler(RequestFailure)
    async def service_error(request: Request, error: RequestFailure) -> Response:
        runtime.metrics.rejected(endpoint_of(request.scope), error.code)
        return error_response(error, request.state.request_id, runtime.service)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        allowed = paths.methods(request.scope["path"]) or (error.headers or {}).get("Allow", "")
        refused = _Refused(_sentence(request, error, allowed), error.status_code)
        response = error_response(refused, request.state.request_id, runtime.service)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["allow"] = allowed
        return response

    @app.exception_handler(RequestValidationError)
    async def validation_error(request: Request, error: RequestValidationError) -> Response:
        refused = InvalidRequest("; ".join(e["msg"] for e in error.errors()))
        return error_response(refused, request.state.request_id, runtime.service)


def _sentence(request: Request, error: HTTPException, allowed: str) -> str:
    """What the framework says in two words."""
    asked = f"{request.method} {request.scope['path'][:_SHOWN]}"
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return f"there is no {asked} here; /openapi.json lists what there is"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return f"{asked} is not possible; the path takes {allowed}"
    return str(error.detail)


class _Paths:
    """Which methods a path takes; the framework names only those of the first of its routes."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._routes = [route for router in routers for route in router.routes if isinstance(route, Route)]

    def methods(self, path: str) -> str:
        """With commas between them; empty for a path that is not there."""
        found = [route for route in self._routes if route.path_regex.match(path)]
        exact = [route for route in found if route.path == path]
        return ", ".join(sorted({method for route in exact or found for method in route.methods or ()}))


class _Refused(InvalidRequest):
    """What the framework itself refuses: no such path, no such method."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
