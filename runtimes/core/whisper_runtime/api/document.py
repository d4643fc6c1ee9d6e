"""The OpenAPI document: every endpoint with what it takes, what it answers, and how it fails, with examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from whisper_runtime import errors
from whisper_runtime.api import schemas
from whisper_runtime.api.batch import KEY, LONGEST_KEY
from whisper_runtime.api.bodies import REF, names_of, request_bodies
from whisper_runtime.api.chunks import ChunkAnswer
from whisper_runtime.api.elsewhere import ELSEWHERE
from whisper_runtime.api.forms import ChunkMetadata
from whisper_runtime.api.intake import REQUIRE
from whisper_runtime.results import Result
from whisper_runtime.runtime import Runtime

_UPLOAD = (
    errors.InvalidRequest("temperature: Input should be less than or equal to 1", param="temperature"),
    errors.ModelNotFound("model 'huge' is not served here; base, whisper-base, whisper-1 are", param="model"),
    errors.UploadTimeout("no byte of the upload arrived for 30 seconds"),
    errors.AudioTooLarge("the upload is larger than the 67108864 bytes allowed here", param="file"),
    errors.UnsupportedAudio("the file has no audio track", param="file"),
    errors.UnsupportedHere("x-whisper-require: diarization is not done here; prompt, words is", param=REQUIRE),
    errors.UndecodableAudio("the flac file is cut off after 9 of 20 samples", param="file"),
    errors.EngineError("the engine failed: RuntimeError: …"),
    errors.QueueFull("600 of 600 seconds of audio are waiting; try again as Retry-After says", retry_after=4.0),
    errors.DeadlineExceeded("the request took longer than the 900 seconds allowed"),
)
_ANSWERS: dict[tuple[str, str], type[BaseModel]] = {
    ("/health", "get"): schemas.Health,
    ("/livez", "get"): schemas.Probe,
    ("/readyz", "get"): schemas.Probe,
    ("/startupz", "get"): schemas.Probe,
    ("/models", "get"): schemas.Models,
    ("/api/models", "get"): schemas.Models,
    ("/api/device-info", "get"): schemas.DeviceInfo,
    ("/v1/models", "get"): schemas.OpenAIModels,
    ("/v1/models/{name}", "get"): schemas.OpenAIModel,
    ("/transcribe", "post"): Result,
    ("/api/process-chunk", "post"): ChunkAnswer,
    ("/batch/process", "post"): schemas.JobStatus,
    ("/batch/{id}", "get"): schemas.JobStatus,
    ("/batch/{id}", "delete"): schemas.JobStatus,
}
_BATCH = "/batch/"
_UNKNOWN_JOB = errors.JobNotFound("no such job here: a job is known only to the process that took it", param="id")
_UNREADY = ("/health", "/livez", "/readyz", "/startupz")
_STREAMED = (schemas.TextDelta, schemas.TextDone, schemas.StreamError)
_SHOWN = (schemas.ErrorBody, schemas.PlainTranscription, schemas.VerboseTranscription, *_STREAMED, *_ANSWERS.values())


def document(app: FastAPI, runtime: Runtime) -> dict[str, Any]:
    """The whole document, made anew: a model's languages are known only once it is loaded."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        description="Speech to text. Times are seconds; what is not known is null.",
        routes=app.routes,
    )
    made["components"] = {"schemas": _components(), "headers": _HEADERS}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            operation["responses"] = _responses(path, method)
            if path.endswith("/{id}"):
                operation["parameters"] = [_ID]
    for path, body in request_bodies(runtime).items():
        made["paths"][path]["post"] |= {"requestBody": body, "parameters": [_REQUIRES]}
    made["paths"][f"{_BATCH}process"]["post"]["parameters"] = [_REQUIRES, _KEY]
    made["paths"]["/v1/models/{name}"]["get"]["parameters"][0]["schema"] = names_of(runtime)
    return made


_HEADERS = {
    "x-request-id": {"description": "The caller's, or a new one.", "schema": {"type": "string"}},
    "x-whisper-runtime": {"description": "Who served it.", "schema": {"type": "string"}},
    "x-whisper-degraded": {
        "description": "The options that could not be honoured, with commas between them.",
        "schema": {"type": "string"},
    },
    "x-idempotent-replay": {"description": "The answer was there already.", "schema": {"const": "true"}},
    "location": {"description": "Where the job is.", "schema": {"type": "string"}},
    "retry-after": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}},
}
_KEY = {
    "name": KEY,
    "in": "header",
    "required": False,
    "description": "The caller's name for the job: sent again with the same one, it is the same job.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_REQUIRES = {
    "name": REQUIRE,
    "in": "header",
    "required": False,
    "description": "Capabilities that the request cannot do without, with commas between them; 421 if one is missing.",
    "schema": {"type": "string"},
    "example": "words, prompt",
}


def _components() -> dict[str, Any]:
    shown = [(model, "serialization") for model in dict.fromkeys(_SHOWN)]
    _, found = models_json_schema([*shown, (ChunkMetadata, "validation")], ref_template=REF)  # type: ignore[list-item]  # the modes are literals
    definitions: dict[str, Any] = found["$defs"]
    return definitions


def _headers(*names: str) -> dict[str, Any]:
    always = ("x-request-id", "x-whisper-runtime")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*always, *names)}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}


def _answer(description: str, content: Mapping[str, Any], *headers: str) -> dict[str, Any]:
    return {"description": description, "headers": _headers(*headers), "content": content}


def _responses(path: str, method: str) -> dict[str, Any]:
    if (method.upper(), path) in {(verb, there) for verb, there, _ in ELSEWHERE}:
        return _failures([errors.UnsupportedHere("this is there on gpu only; this is cpu")])
    if path.startswith(_BATCH):
        return _of_a_job(method)
    if path.startswith("/v1/audio/"):
        return {"200": _answer("Transcribed.", _OPENAI_CONTENT, "x-whisper-degraded")} | _failures(_UPLOAD)
    if path == "/metrics":
        return {"200": _answer("Prometheus text.", {"text/plain": {"schema": {"type": "string"}}})}
    return _answers(path, method)


def _answers(path: str, method: str) -> dict[str, Any]:
    model = _ANSWERS[path, method]
    answers = {"200": _answer(model.__doc__ or "", _json(model), *_marks(path))}
    if path in _UNREADY:
        return answers | {"503": _answer("Not ready, or failed.", _json(model))}
    if method == "post":
        return answers | _failures(_UPLOAD)
    return answers | (_failures(_UPLOAD[1:2]) if "{" in path else {})


def _of_a_job(method: str) -> dict[str, Any]:
    told = _json(schemas.JobStatus)
    if method == "post":
        marks = ("location", "x-whisper-degraded", "x-idempotent-replay")
        return {"202": _answer("Taken.", told, *marks)} | _failures(_UPLOAD)
    return {"200": _answer(schemas.JobStatus.__doc__ or "", told, "x-whisper-degraded")} | _failures([_UNKNOWN_JOB])


def _marks(path: str) -> tuple[str, ...]:
    if path == "/api/process-chunk":
        return ("x-whisper-degraded", "x-idempotent-replay")
    return ("x-whisper-degraded",) if path == "/transcribe" else ()


def _any_of(*models: type[BaseModel]) -> dict[str, Any]:
    return {"anyOf": [{"$ref": REF.format(model=model.__name__)} for model in models]}


_OPENAI_CONTENT = {
    "application/json": {
        "schema": _any_of(schemas.VerboseTranscription, schemas.PlainTranscription),
        "example": {"text": "Ask not what your country can do for you.", "usage": {"type": "duration", "seconds": 4}},
    },
    "text/plain": {"schema": {"type": "string"}},
    "text/event-stream": {
        "schema": {
            "type": "object",
            "description": "Of each event.",
            "properties": {
                "event": {"type": "string", "enum": ["message", "error"]},
                "data": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": _any_of(*_STREAMED),
                },
            },
            "required": ["data"],
        },
    },
}


def _failures(failures: Iterable[errors.RequestFailure]) -> dict[str, Any]:
    """One answer for each status, with an example."""
    found = {}
    for failure in failures:
        content = _json(schemas.ErrorBody)
        content["application/json"]["example"] = failure.body("5f0c1b7c7a3f4d6f8a5b0e7f2c9d1e34", "whisper-cpu")
        retry = ("retry-after",) if failure.retry_after else ()
        found[str(failure.status)] = _answer(type(failure).__doc__ or "", content, *retry)
    return found
