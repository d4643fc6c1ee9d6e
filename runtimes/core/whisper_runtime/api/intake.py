"""From a request to a job: what all transcribing endpoints share, whatever their options and answers look like."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from whisper_runtime.api.answers import result_of
from whisper_runtime.api.forms import Form
from whisper_runtime.api.middleware import endpoint_of
from whisper_runtime.api.uploads import Bounds, Shared
from whisper_runtime.audio.decode import decode
from whisper_runtime.audio.mono import Limits
from whisper_runtime.engine import Options, Stop, Waveform
from whisper_runtime.errors import AudioTooLarge, InvalidRequest, UnsupportedHere
from whisper_runtime.results import DeviceUse, Result
from whisper_runtime.runtime import Done, Job, Runtime
from whisper_runtime.serving.scratch import Held
from whisper_runtime.speech.spans import Sensitivity

REQUIRE = "x-whisper-require"
_FILES = ("file", "audio")

Source = Callable[[Stop], Waveform]
"""Reads a request's audio; blocks."""


@asynccontextmanager
async def admitted(request: Request, runtime: Runtime) -> AsyncIterator[Held]:
    """A request in flight, which is refused before its body is read where it must be.

    Raises:
        Loading, Draining, DeviceLost, QueueFull, UnsupportedHere
    """
    async with runtime.working() as held:
        refuse_missing(request, runtime)
        yield held


def refuse_missing(request: Request, runtime: Runtime) -> None:
    """What a caller cannot do without, by the names of capabilities, separated by commas.

    Raises:
        UnsupportedHere: the engine lacks one; another runtime may have it.
    """
    required, able_to = request.headers.get(REQUIRE, ""), runtime.capabilities
    missing = [name for part in required.split(",") if (name := part.strip()) and name not in able_to]
    if missing:
        able = ", ".join(sorted(able_to))
        raise UnsupportedHere(f"{REQUIRE}: {', '.join(missing)} is not done here; {able} is", param=REQUIRE)


def bounds(runtime: Runtime, audio_bytes: int, held: Held) -> Bounds:
    """What an upload may take on an endpoint."""
    settings = runtime.settings
    return Bounds(audio_bytes, settings.upload_idle_seconds, settings.request_seconds, held)


def fields(body: FormData) -> list[tuple[str, Any]]:
    """All of a multipart body but its audio. Other files are among it: none of them is an option that we know."""
    return [pair for pair in body.multi_items() if not _is_audio(*pair)]


def _is_audio(name: str, value: Any) -> bool:
    return name in _FILES and isinstance(value, UploadFile)


def uploaded(body: FormData, limit: int) -> Shared:
    """The one file of a multipart body, whose end closes it.

    Raises:
        InvalidRequest, AudioTooLarge
    """
    files = [value for name in _FILES for value in body.getlist(name) if isinstance(value, UploadFile)]
    if not files:
        raise InvalidRequest("the form has no file: send the audio as the field 'file'", param="file")
    if len(files) > 1:
        raise InvalidRequest("the form has several files: send one a request", param="file")
    if (files[0].size or 0) > limit:
        raise AudioTooLarge(f"the upload is larger than the {limit} bytes allowed here", param="file")
    shared = Shared(files[0].file)
    files[0].file = cast("BinaryIO", shared)
    return shared


def file_source(shared: Shared, max_seconds: float, held: Held) -> Source:
    """Reads a file in any common format."""

    def read(stop: Stop) -> Waveform:
        with shared.reading() as file:
            return decode(file, Limits(max_seconds, stop, held.take))

    return read


def degraded_header(degraded: Sequence[str]) -> dict[str, str]:
    """What could not be honoured, once more."""
    return {"x-whisper-degraded": ", ".join(degraded)} if degraded else {}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, as far as it can be honoured here."""

    options: Options
    vad: Sensitivity | None
    device: DeviceUse
    degraded: tuple[str, ...]
    endpoint: str
    request_id: str

    def job(self, source: Source) -> Job:
        """What is to be done."""
        return Job(source, self.options, self.endpoint, self.request_id, vad=self.vad)

    def result(self, done: Done, runtime: Runtime) -> Result:
        """The contract's answer."""
        info = replace(runtime.engine.info, device=self.device)
        return result_of(done, self.options, info, runtime.names.model, self.request_id, self.degraded)


def understood(request: Request, runtime: Runtime, form: Form, options: Options, *, device: str | None = None) -> Asked:
    """What a form asks for, and the names of what of it cannot be honoured.

    Raises:
        ModelNotFound, InvalidRequest, UnsupportedTask
    """
    degraded = form.unknown()
    if runtime.names.degraded(form.asked):
        degraded.append("model")
    options, unmet = runtime.checked(options)
    degraded += [form.CALLED.get(name, name) for name in unmet]
    use = runtime.engine.info.device
    if device and device.lower() not in ("auto", use.used.lower()):
        degraded.append("device")
        reason = f"this runtime serves from {use.used}"
        use = use.model_copy(update={"requested": device, "fallback_reason": reason})
    return Asked(
        options=options,
        vad=form.speech,
        device=use,
        degraded=tuple(dict.fromkeys(degraded)),
        endpoint=endpoint_of(request.scope),
        request_id=request.state.request_id,
    )
