"""OpenAI's endpoints that transcribe: `/v1/audio/transcriptions` and `translations`, as its own client speaks them."""

from __future__ import annotations

from contextlib import AsyncExitStack

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from whisper_runtime.api import answers
from whisper_runtime.api.chunking import gathered
from whisper_runtime.api.disconnect import while_connected
from whisper_runtime.api.events import streamed
from whisper_runtime.api.forms import OpenAIForm, parse
from whisper_runtime.api.intake import admitted, bounds, degraded_header, fields, file_source, understood, uploaded
from whisper_runtime.api.uploads import read_form
from whisper_runtime.results import Result, Task
from whisper_runtime.runtime import Runtime

_REPEATED = {
    spelling: name
    for name in ("timestamp_granularities", "include", "keywords")
    for spelling in (name, f"{name}[]")  # clients write lists either way
}


def openai_routes(runtime: Runtime) -> APIRouter:
    """The endpoints over one runtime."""
    routes = APIRouter()

    @routes.post("/v1/audio/transcriptions", summary="OpenAI's transcriptions")
    async def transcriptions(request: Request) -> Response:
        return await _answered(request, runtime, "transcribe")

    @routes.post("/v1/audio/translations", summary="OpenAI's translations to English")
    async def translations(request: Request) -> Response:
        return await _answered(request, runtime, "translate")

    return routes


async def _answered(request: Request, runtime: Runtime, task: Task) -> Response:
    async with AsyncExitStack() as open_:
        held = await open_.enter_async_context(admitted(request, runtime))
        limit = runtime.settings.openai_limit
        body = await read_form(request, bounds(runtime, limit, held))
        open_.push_async_callback(body.close)
        form = parse(OpenAIForm, gathered(fields(body)), _REPEATED)
        form.refuse_unsupported()
        asked = understood(request, runtime, form, form.options(task))
        job = asked.job(file_source(uploaded(body, limit), runtime.settings.max_audio_seconds, held))
        if form.stream:
            return await streamed(request, runtime, job, degraded_header(asked.degraded), open_)
        done = await while_connected(request, runtime.transcribe(job))
    result = asked.result(done, runtime)
    return _in_form(result, form, degraded_header(result.degraded), logprobs=asked.options.logprobs)


def _in_form(result: Result, form: OpenAIForm, headers: dict[str, str], *, logprobs: bool) -> Response:
    match form.response_format:
        case "text":
            return PlainTextResponse(result.text + "\n", headers=headers)
        case "srt":
            return PlainTextResponse(answers.srt(result), headers=headers)
        case "vtt":
            return PlainTextResponse(answers.vtt(result), headers=headers)
        case "verbose_json":
            return JSONResponse(answers.verbose_json(result, form.timestamp_granularities), headers=headers)
        case _:
            return JSONResponse(answers.plain_json(result, logprobs=logprobs), headers=headers)
