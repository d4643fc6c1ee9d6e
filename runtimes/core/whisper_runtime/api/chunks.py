"""`POST /api/process-chunk`: a piece of a stream that somebody else cuts, transcribed once however often it is sent."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO, Literal, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from whisper_runtime.api.disconnect import while_connected
from whisper_runtime.api.forms import ChunkForm
from whisper_runtime.api.intake import Asked, admitted, bounds, degraded_header, understood
from whisper_runtime.api.json_audio import unpack
from whisper_runtime.api.uploads import Shared, read_base64
from whisper_runtime.audio.mono import Limits
from whisper_runtime.audio.raw import decode_raw
from whisper_runtime.engine import Stop, Waveform
from whisper_runtime.results import Result, Segment, Word
from whisper_runtime.runtime import Runtime
from whisper_runtime.serving.replays import Replays
from whisper_runtime.serving.scratch import Held

T = TypeVar("T", Segment, Word)


class _Answer(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class ChunkTranscription(_Answer):
    """What was said."""

    text: str
    language: str | None
    confidence_score: float | None
    segments: tuple[Segment, ...] | None
    words: tuple[Word, ...] | None
    timestamp: datetime
    """When it was transcribed."""


class ProcessingInfo(_Answer):
    """How it was done."""

    model_used: str
    device_used: str
    device_requested: str
    processing_time: float
    queue_time: float | None
    chunk_metadata: dict[str, Any]
    service_mode: Literal["orchestration"] = "orchestration"
    """The caller cuts the audio into chunks and puts the answers together."""
    degraded: tuple[str, ...]


class ChunkTiming(_Answer):
    """Where the chunk lies in its stream, as far as the caller said; its duration as decoded."""

    start_time: float | None
    end_time: float | None
    duration: float


class ChunkAnswer(_Answer):
    """One chunk's answer."""

    chunk_id: str
    session_id: str
    status: Literal["success", "no_speech"]
    chunk_sequence: int | None
    transcription: ChunkTranscription
    processing_info: ProcessingInfo
    chunk_timing: ChunkTiming
    text: str
    confidence: float | None
    processing_time: float
    model_used: str


def chunk_routes(runtime: Runtime) -> APIRouter:
    """The endpoint over one runtime."""
    routes, replays = APIRouter(), Replays()

    @routes.post("/api/process-chunk", summary="Transcribe a chunk of a stream, once")
    async def process_chunk(request: Request) -> Response:
        async with admitted(request, runtime) as held:
            body = await read_base64(request, bounds(runtime, runtime.settings.max_chunk_bytes, held))
            try:
                stop = runtime.stop_flag(request.state.request_id)
                form, audio = await runtime.aside(partial(unpack, ChunkForm, body.file), stop)
            finally:
                await body.close()
            chunk = _Chunk(form, audio)
            try:
                form.refuse_contradiction()
                asked = understood(request, runtime, form, form.options())
                once = replays.once(chunk.key, partial(chunk.transcribe, runtime, asked))
                content, replayed = await while_connected(request, once)
            finally:
                if not chunk.begun:
                    chunk.close()
        degraded = ChunkAnswer.model_validate_json(content).processing_info.degraded
        headers = degraded_header(degraded) | ({"x-idempotent-replay": "true"} if replayed else {})
        return Response(content, media_type="application/json", headers=headers)

    return routes


class _Chunk:
    """One request's chunk. Its work may outlive the request, for others that wait for it, and then owns the audio."""

    def __init__(self, form: ChunkForm, audio: BinaryIO) -> None:
        self.form, self._shared = form, Shared(audio)
        self.begun = False
        self.key = (form.session_id, form.chunk_id)

    def transcribe(self, runtime: Runtime, asked: Asked) -> Coroutine[Any, Any, bytes]:
        """The work, as a coroutine that gives the answer's bytes."""
        self.begun = True
        return self._transcribe(runtime, asked)

    async def _transcribe(self, runtime: Runtime, asked: Asked) -> bytes:
        try:
            with runtime.scratch.hold() as held:  # its own: the request may end before its work
                source = partial(self._decode, runtime.settings.max_audio_seconds, held)
                done = await runtime.transcribe(asked.job(source))
        finally:
            self.close()
        return answer_of(self.form, asked.result(done, runtime)).model_dump_json().encode()

    def _decode(self, max_seconds: float, held: Held, stop: Stop) -> Waveform:
        encoding = self.form.chunk_metadata.encoding or "container"
        with self._shared.reading() as audio:
            return decode_raw(audio, encoding, self.form.rate, Limits(max_seconds, stop, held.take))

    def close(self) -> None:
        """Let go of the audio."""
        self._shared.close()


def answer_of(form: ChunkForm, result: Result) -> ChunkAnswer:
    """The answer to a chunk; times are those of its stream where the caller said when it begins."""
    about = form.chunk_metadata
    moved = [_moved(segment, about.start_time or 0.0) for segment in result.segments]
    untimed = about.timestamp_mode == "none"
    words = tuple(word for segment in moved for word in segment.words or ())
    return ChunkAnswer(
        chunk_id=form.chunk_id,
        session_id=form.session_id,
        status="success" if result.text else "no_speech",
        chunk_sequence=about.sequence_number,
        transcription=ChunkTranscription(
            text=result.text,
            language=result.language,
            confidence_score=result.confidence,
            segments=None if untimed else tuple(moved),
            words=None if result.words is None else words,
            timestamp=datetime.now(UTC),
        ),
        processing_info=ProcessingInfo(
            model_used=result.model,
            device_used=result.device.used,
            device_requested=result.device.requested,
            processing_time=result.processing_time,
            queue_time=result.timings.queue,
            chunk_metadata=about.model_dump(exclude_unset=True),
            degraded=result.degraded,
        ),
        chunk_timing=ChunkTiming(
            start_time=about.start_time,
            end_time=None if about.start_time is None else round(about.start_time + result.duration, 3),
            duration=result.duration,
        ),
        text=result.text,
        confidence=result.confidence,
        processing_time=result.processing_time,
        model_used=result.model,
    )


def _moved(segment: Segment, by: float) -> Segment:
    words = None if segment.words is None else tuple(_shifted(word, by) for word in segment.words)
    return _shifted(segment, by).model_copy(update={"words": words})


def _shifted(one: T, by: float) -> T:
    return one.model_copy(update={"start": round(one.start + by, 3), "end": round(one.end + by, 3)})
