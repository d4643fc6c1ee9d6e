"""A request as JSON: its options, and its audio as base64. Blocks; called in a worker thread."""

from __future__ import annotations

import json
from typing import Any, BinaryIO, TypeVar

from whisper_runtime.api.forms import ChunkForm, TranscribeForm, parse_json
from whisper_runtime.api.uploads import spool
from whisper_runtime.audio.raw import from_base64
from whisper_runtime.errors import AudioEmpty, InvalidRequest

F = TypeVar("F", TranscribeForm, ChunkForm)


def unpack(kind: type[F], body: BinaryIO) -> tuple[F, BinaryIO]:
    """The options without the audio, and the audio as a file: while a request waits, its audio is on disk.

    Raises:
        InvalidRequest, AudioEmpty
    """
    form = parse_json(kind, _object(body))
    if not form.audio_data:
        raise AudioEmpty("audio_data is missing", param="audio_data")
    audio = spool()
    try:
        audio.writelines(from_base64(form.audio_data))
    except BaseException:
        audio.close()
        raise
    return form.model_copy(update={"audio_data": None}), audio


def _object(body: BinaryIO) -> dict[str, Any]:
    body.seek(0)
    try:
        found = json.loads(body.read())
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"the body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidRequest("the body must be a JSON object")
    return found
