"""`POST /batch/process`: a file for which nobody waits on an open connection; `/batch/{id}` tells what became of it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from http import HTTPStatus
from typing import Annotated, cast

from fastapi import APIRouter, Path, Request, Response
from starlette.datastructures import FormData, UploadFile

from whisper_runtime.api.forms import FileForm, parse
from whisper_runtime.api.intake import Asked, bounds, degraded_header, fields, refuse_missing, understood, uploaded
from whisper_runtime.api.schemas import ErrorDetail, JobStatus
from whisper_runtime.api.uploads import Shared, read_form
from whisper_runtime.audio.decode import decode, promised
from whisper_runtime.audio.mono import Limits
from whisper_runtime.engine import Stop, Waveform
from whisper_runtime.errors import InvalidRequest
from whisper_runtime.runtime import Done, Runtime
from whisper_runtime.serving.batch import new_id
from whisper_runtime.serving.job import Answer, BatchJob
from whisper_runtime.serving.scratch import Held
from whisper_runtime.serving.stop import StopFlag

JobId = Annotated[str, Path(alias="id")]
KEY = "idempotency-key"
LONGEST_KEY = 256


def batch_routes(runtime: Runtime) -> APIRouter:
    """The endpoints over one runtime."""
    routes = APIRouter()

    @routes.post("/batch/process", status_code=HTTPStatus.ACCEPTED, summary="Transcribe a file, and ask for it later")
    async def process(request: Request) -> Response:
        async with runtime.life.working():
            refuse_missing(request, runtime)
            key = _key(request)
            job = runtime.batch.known(key)
            if job is None:
                runtime.batch.require_room()
                job, replayed = await _taken(request, runtime, key)
            else:
                replayed = True
        headers = {"location": f"/batch/{job.id}"} | ({"x-idempotent-replay": "true"} if replayed else {})
        return await _told(job, HTTPStatus.ACCEPTED, headers)

    @routes.get("/batch/{id}", summary="How far a job is, and its answer once it is done")  # noqa: FAST003 - JobId
    async def status(job_id: JobId) -> Response:
        return await _told(runtime.batch.find(job_id))

    @routes.delete("/batch/{id}", summary="End a job and forget it")  # noqa: FAST003 - JobId
    async def delete(job_id: JobId) -> Response:
        return await _told(runtime.batch.delete(job_id))

    return routes


def _key(request: Request) -> str | None:
    """The caller's name for the job, under which it is taken once, however often it is sent."""
    key: str | None = request.headers.get(KEY)
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise InvalidRequest(f"{KEY}: at least one character, and at most {LONGEST_KEY}", param=KEY)
    return key


async def _taken(request: Request, runtime: Runtime, key: str | None) -> tuple[BatchJob, bool]:
    """A new job, which owns its upload; or the one that came under this key meanwhile, and that it is not new.

    Raises:
        InvalidRequest, ModelNotFound, UploadTimeout, AudioTooLarge, AudioTooLong, UnsupportedAudio, UndecodableAudio,
        QueueFull
    """
    limit, most = runtime.settings.max_batch_bytes, runtime.settings.max_batch_audio_seconds
    async with AsyncExitStack() as open_:
        held = runtime.batch_scratch.open()
        open_.callback(held.give_back)
        body = await read_form(request, bounds(runtime, limit, held))
        open_.push_async_callback(body.close)
        upload = _Upload(uploaded(body, limit), held)
        form = parse(FileForm, fields(body))
        form.refuse_contradiction()
        asked = understood(request, runtime, form, form.options(), device=form.device)
        stop = runtime.stop_flag(asked.request_id)
        seconds = await runtime.aside(partial(upload.promised, Limits(most, stop)), stop)
        await _close_others(body, upload)
        if (known := runtime.batch.known(key)) is not None:
            return known, True
        runtime.life.require_ready()
        job = BatchJob(new_id(), asked.request_id, key, asked.degraded, seconds, upload.close)
        runtime.batch.add(job, partial(_answer, runtime, asked, upload))
        open_.pop_all()
    return job, False


async def _close_others(body: FormData, upload: _Upload) -> None:
    """Whatever else was sent as a file."""
    for _, value in body.multi_items():
        if isinstance(value, UploadFile) and cast("object", value.file) is not upload.shared:
            await value.close()


class _Upload:
    """A job's file, from its arrival until it is decoded."""

    def __init__(self, shared: Shared, held: Held) -> None:
        self.shared, self._held = shared, held

    def promised(self, limits: Limits) -> float | None:
        """The seconds that the file says it holds, so that what is wrong at first sight is refused at once; blocks."""
        with self.shared.reading() as file:
            seconds = promised(file)
        if seconds is not None and seconds > limits.seconds:
            raise limits.too_long()
        return seconds

    def decoded(self, most: float, stop: Stop) -> Waveform:
        """The waveform, whose room is not counted: there is one such at a time. Gives the file back; blocks."""
        with self.shared.reading() as file:
            audio = decode(file, Limits(most, stop))
        self.close()
        return audio

    def close(self) -> None:
        """Give back what it took; may be called again."""
        self.shared.close()
        self._held.give_back()


async def _answer(runtime: Runtime, asked: Asked, upload: _Upload, job: BatchJob) -> Answer:
    stop = StopFlag(runtime.settings.batch_seconds, asked.request_id)
    source = partial(upload.decoded, runtime.settings.max_batch_audio_seconds)
    done = await runtime.hear(asked.job(source), stop, job.admit)
    return await runtime.aside(partial(_written, runtime, asked, done), stop)


def _written(runtime: Runtime, asked: Asked, done: Done) -> Answer:
    return Answer(asked.result(done, runtime).model_dump_json().encode())


async def _told(job: BatchJob, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    """What is known of a job. Its answer is put in as it lies on disk."""
    error = None if job.error is None else ErrorDetail.model_validate(job.error.detail())
    known = JobStatus(
        id=job.id,
        status=job.state,
        request_id=job.request_id,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        progress=round(job.progress, 4),
        audio_seconds=job.audio_seconds,
        seconds_left=job.seconds_left,
        degraded=job.degraded,
        error=error,
        result=None,
    )
    content = known.model_dump_json().encode()
    if job.answer is not None:
        result = await asyncio.to_thread(job.answer.reader())
        content = content.removesuffix(b"null}") + result + b"}"
    more = degraded_header(job.degraded) | (headers or {})
    return Response(content, status, media_type="application/json", headers=more)
