"""`POST /transcribe`: a whole file, or base64 in JSON, to the contract's Result."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from fastapi import APIRouter, Request, Response

from whisper_runtime.api.disconnect import while_connected
from whisper_runtime.api.forms import FileForm, TranscribeForm, parse
from whisper_runtime.api.intake import (
    Source,
    admitted,
    bounds,
    degraded_header,
    fields,
    file_source,
    understood,
    uploaded,
)
from whisper_runtime.api.json_audio import unpack
from whisper_runtime.api.uploads import Shared, read_base64, read_form
from whisper_runtime.audio.mono import Limits
from whisper_runtime.audio.raw import decode_raw
from whisper_runtime.engine import Stop, Waveform
from whisper_runtime.runtime import Runtime
from whisper_runtime.serving.scratch import Held


def transcription_routes(runtime: Runtime) -> APIRouter:
    """The endpoint over one runtime."""
    routes = APIRouter()

    @routes.post("/transcribe", summary="Transcribe a file, or base64 audio in JSON")
    async def transcribe(request: Request) -> Response:
        async with AsyncExitStack() as open_:
            held = await open_.enter_async_context(admitted(request, runtime))
            read = _read_json if "json" in request.headers.get("content-type", "") else _read_multipart
            form, source = await read(request, runtime, held, open_)
            form.refuse_contradiction()
            asked = understood(request, runtime, form, form.options(), device=form.device)
            done = await while_connected(request, runtime.transcribe(asked.job(source)))
        result = asked.result(done, runtime)
        more = degraded_header(result.degraded)
        return Response(result.model_dump_json(), media_type="application/json", headers=more)

    return routes


async def _read_multipart(
    request: Request, runtime: Runtime, held: Held, open_: AsyncExitStack
) -> tuple[FileForm, Source]:
    limit = runtime.settings.max_upload_bytes
    body = await read_form(request, bounds(runtime, limit, held))
    open_.push_async_callback(body.close)
    source = file_source(uploaded(body, limit), runtime.settings.max_audio_seconds, held)
    return parse(FileForm, fields(body)), source


async def _read_json(
    request: Request, runtime: Runtime, held: Held, open_: AsyncExitStack
) -> tuple[TranscribeForm, Source]:
    body = await read_base64(request, bounds(runtime, runtime.settings.max_upload_bytes, held))
    try:
        stop = runtime.stop_flag(request.state.request_id)
        form, audio = await runtime.aside(partial(unpack, TranscribeForm, body.file), stop)
    finally:
        await body.close()
    shared = Shared(audio)
    open_.push_async_callback(asyncio.to_thread, shared.close)
    return form, partial(_decode, shared, form, runtime.settings.max_audio_seconds, held)


def _decode(shared: Shared, form: TranscribeForm, max_seconds: float, held: Held, stop: Stop) -> Waveform:
    with shared.reading() as audio:
        return decode_raw(audio, form.encoding, form.sample_rate, Limits(max_seconds, stop, held.take))
