"""The endpoints that transcribe: `/transcribe`, ours, and `/v1/audio/transcriptions` and `translations`, OpenAI's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.datastructures import FormData, UploadFile

from whisper_runtime.api import answers
from whisper_runtime.api.disconnect import while_connected
from whisper_runtime.api.forms import OpenAIForm, TranscribeForm, parse
from whisper_runtime.api.json_audio import unpack
from whisper_runtime.api.middleware import endpoint_of
from whisper_runtime.api.uploads import Bounds, read_base64, read_form
from whisper_runtime.audio.decode import decode
from whisper_runtime.audio.raw import decode_raw
from whisper_runtime.engine import Options, Stop, Waveform
from whisper_runtime.errors import AudioTooLarge, InvalidRequest
from whisper_runtime.results import Result, Task
from whisper_runtime.runtime import Job, Runtime
from whisper_runtime.serving.scratch import Held

_GRANULARITIES = dict.fromkeys(("timestamp_granularities", "timestamp_granularities[]"), "timestamp_granularities")
_FILES = ("file", "audio")


def transcription_routes(runtime: Runtime) -> APIRouter:
    """The endpoints over one runtime."""
    routes = APIRouter()

    @routes.post("/transcribe", summary="Transcribe a file, or base64 audio in JSON", response_model=Result)
    async def transcribe(request: Request) -> Response:
        async with runtime.working() as held:
            is_json = "json" in request.headers.get("content-type", "")
            read = _read_json if is_json else _read_multipart
            form, source, close = await read(request, runtime, held)
            try:
                form.refuse_contradiction()
                result = await _run(request, runtime, form, form.options(), source)
            finally:
                await close()
        return _json(result, result.model_dump(mode="json"))

    @routes.post("/v1/audio/transcriptions", summary="OpenAI's transcriptions")
    async def transcriptions(request: Request) -> Response:
        return await _openai(request, runtime, "transcribe")

    @routes.post("/v1/audio/translations", summary="OpenAI's translations to English")
    async def translations(request: Request) -> Response:
        return await _openai(request, runtime, "translate")

    return routes


Source = Callable[[Stop], Waveform]
_Read = tuple[TranscribeForm, Source, Callable[[], Any]]


async def _openai(request: Request, runtime: Runtime, task: Task) -> Response:
    async with runtime.working() as held:
        limit = runtime.settings.openai_limit
        body = await read_form(request, _bounds(runtime, limit, held))
        try:
            form = parse(OpenAIForm, _fields(body), _GRANULARITIES)
            form.refuse_unsupported()
            source = _file_source(body, limit, runtime)
            result = await _run(request, runtime, form, form.options(task), source)
        finally:
            await body.close()
    return _openai_answer(result, form)


def _bounds(runtime: Runtime, audio_bytes: int, held: Held) -> Bounds:
    settings = runtime.settings
    return Bounds(audio_bytes, settings.upload_idle_seconds, settings.request_seconds, held)


async def _read_multipart(request: Request, runtime: Runtime, held: Held) -> _Read:
    limit = runtime.settings.max_upload_bytes
    body = await read_form(request, _bounds(runtime, limit, held))
    try:
        form = parse(TranscribeForm, _fields(body))
        return form, _file_source(body, limit, runtime), body.close
    except Exception:
        await body.close()
        raise


async def _read_json(request: Request, runtime: Runtime, held: Held) -> _Read:
    body = await read_base64(request, _bounds(runtime, runtime.settings.max_upload_bytes, held))
    try:
        form, audio = await runtime.aside(partial(unpack, body.file), runtime.stop_flag(request.state.request_id))
    finally:
        await body.close()
    return form, partial(_decode_raw, audio, form, runtime), UploadFile(audio).close


def _decode_raw(audio: BinaryIO, form: TranscribeForm, runtime: Runtime, stop: Stop) -> Waveform:
    return decode_raw(audio, form.encoding, form.sample_rate, runtime.settings.max_audio_seconds, stop)


def _fields(body: FormData) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in body.multi_items() if not isinstance(value, UploadFile)]


def _file_source(body: FormData, limit: int, runtime: Runtime) -> Source:
    files = [value for name in _FILES for value in body.getlist(name) if isinstance(value, UploadFile)]
    if not files:
        raise InvalidRequest("the form has no file: send the audio as the field 'file'", param="file")
    if len(files) > 1:
        raise InvalidRequest("the form has several files: send one a request", param="file")
    if (files[0].size or 0) > limit:
        raise AudioTooLarge(f"the upload is larger than the {limit} bytes allowed here", param="file")
    return partial(decode, files[0].file, runtime.settings.max_audio_seconds)


async def _run(
    request: Request, runtime: Runtime, form: TranscribeForm | OpenAIForm, options: Options, source: Source
) -> Result:
    """The way that all endpoints share."""
    degraded = form.unknown()
    if runtime.names.degraded(form.asked):
        degraded.append("model")
    options, unmet = runtime.checked(options)
    degraded += unmet
    device, vad = runtime.engine.info.device, True
    if isinstance(form, TranscribeForm):
        vad = form.vad
        degraded += ["hotwords"] if form.hotwords else []
        if form.device and form.device.lower() not in ("auto", device.used.lower()):
            degraded.append("device")
            reason = f"this runtime serves from {device.used}"
            device = device.model_copy(update={"requested": form.device, "fallback_reason": reason})
    job = Job(source, options, endpoint_of(request.scope), request.state.request_id, vad=vad)
    done = await while_connected(request, runtime.transcribe(job))
    info = replace(runtime.engine.info, device=device)
    return answers.result_of(done, options, info, runtime.names.model, request.state.request_id, degraded)


def _openai_answer(result: Result, form: OpenAIForm) -> Response:
    match form.response_format:
        case "text":
            return _text(result, result.text + "\n")
        case "srt":
            return _text(result, answers.srt(result))
        case "vtt":
            return _text(result, answers.vtt(result))
        case "verbose_json":
            return _json(result, answers.verbose_json(result, form.timestamp_granularities))
        case _:
            return _json(result, answers.plain_json(result))


def _json(result: Result, body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=_degraded(result))


def _text(result: Result, body: str) -> Response:
    return PlainTextResponse(body, headers=_degraded(result))


def _degraded(result: Result) -> dict[str, str]:
    return {"x-whisper-degraded": ", ".join(result.degraded)} if result.degraded else {}
