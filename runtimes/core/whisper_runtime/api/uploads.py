"""Uploads, bounded in bytes and in patience. All but small ones go to disk while they arrive."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from whisper_runtime.errors import AudioTooLarge, InvalidRequest, UploadTimeout
from whisper_runtime.serving.scratch import IN_MEMORY, Held
from whisper_runtime.serving.stop import Cancelled

_AROUND = 64 * 1024
"""What multipart or JSON may add to the audio: boundaries, headers, options."""
_FIELD_BYTES = 64 * 1024
_MAX_FILES, _MAX_FIELDS = 2, 64


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one upload may take."""

    audio_bytes: int
    idle_seconds: float
    """The longest pause."""
    seconds: float
    """From the first byte to the last."""
    held: Held


def spool() -> BinaryIO:
    """A new file in memory that moves to disk once it is large; the caller closes it."""
    return cast("BinaryIO", SpooledTemporaryFile(max_size=IN_MEMORY))


class Shared:
    """A file that a thread reads while the request may end: whoever lets go of it last closes it.

    Closed under its reader, a library's callbacks would fail where nobody can catch it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._read = self._given_up = False

    @property
    def _rolled(self) -> bool:
        """Whether it is on disk. Starlette asks by this name, and closes what is in memory without a thread."""
        return bool(getattr(self._file, "_rolled", True))

    @contextmanager
    def reading(self) -> Iterator[BinaryIO]:
        """The file, for as long as this lasts.

        Raises:
            Cancelled: the request has ended.
        """
        with self._lock:
            if self._given_up:
                raise Cancelled
            self._read = True
        try:
            yield self._file
        finally:
            with self._lock:
                self._read = False
                if self._given_up:
                    self._file.close()

    def close(self) -> None:
        """The request needs it no more."""
        with self._lock:
            self._given_up = True
            if not self._read:
                self._file.close()


async def read_form(request: Request, bounds: Bounds) -> FormData:
    """A multipart body.

    Raises:
        AudioTooLarge, UploadTimeout, QueueFull, InvalidRequest
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidRequest("send the audio as the field 'file' of a multipart/form-data body")
    parser = MultiPartParser(
        request.headers,
        _bounded(request, bounds.audio_bytes + _AROUND, bounds),
        max_files=_MAX_FILES,
        max_fields=_MAX_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    try:
        return await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"the body is not a multipart form: {getattr(error, 'message', error)}") from error


async def read_base64(request: Request, bounds: Bounds) -> UploadFile:
    """A body as it comes, whose base64 audio fits once it is decoded; the caller closes it.

    Raises:
        AudioTooLarge, UploadTimeout, QueueFull
    """
    body = UploadFile(spool())
    try:
        async for chunk in _bounded(request, bounds.audio_bytes * 4 // 3 + _AROUND, bounds):
            await body.write(chunk)
    except BaseException:
        await body.close()
        raise
    return body


async def _bounded(request: Request, most: int, bounds: Bounds) -> AsyncGenerator[bytes, None]:
    """The body's chunks, as long as they fit and keep coming."""
    limit, begun = bounds.audio_bytes, time.monotonic()
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > most:
        raise _too_large(limit)
    chunks, total = aiter(request.stream()), 0
    while True:
        try:
            async with asyncio.timeout(bounds.idle_seconds):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise UploadTimeout(f"no byte of the upload arrived for {bounds.idle_seconds:g} seconds") from error
        except ClientDisconnect as error:
            raise Cancelled from error
        total += len(chunk)
        if total > most:
            raise _too_large(limit)
        if time.monotonic() - begun > bounds.seconds:
            raise UploadTimeout(f"the upload took longer than the {bounds.seconds:g} seconds allowed")
        bounds.held.take(len(chunk))
        yield chunk


def _too_large(limit: int) -> AudioTooLarge:
    return AudioTooLarge(f"the upload is larger than the {limit} bytes allowed here", param="file")
