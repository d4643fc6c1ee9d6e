"""Uploads, bounded in bytes and in patience. All but small ones go to disk while they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from whisper_runtime.errors import AudioTooLarge, InvalidRequest, UploadTimeout
from whisper_runtime.serving.stop import Cancelled

_AROUND = 64 * 1024
"""What multipart or JSON may add to the audio: boundaries, headers, options."""
_FIELD_BYTES = 64 * 1024
_MAX_FILES, _MAX_FIELDS = 2, 64
_IN_MEMORY = 1 << 20


def spool() -> BinaryIO:
    """A new file in memory that moves to disk once it is large; the caller closes it."""
    return cast("BinaryIO", SpooledTemporaryFile(max_size=_IN_MEMORY))


async def read_form(request: Request, limit: int, idle_seconds: float) -> FormData:
    """A multipart body whose files are at most `limit` bytes.

    Raises:
        AudioTooLarge, UploadTimeout, InvalidRequest
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidRequest("send the audio as the field 'file' of a multipart/form-data body")
    parser = MultiPartParser(
        request.headers,
        _bounded(request, limit + _AROUND, limit, idle_seconds),
        max_files=_MAX_FILES,
        max_fields=_MAX_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    try:
        return await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"the body is not a multipart form: {getattr(error, 'message', error)}") from error


async def read_base64(request: Request, limit: int, idle_seconds: float) -> UploadFile:
    """A body as it comes, whose base64 audio is at most `limit` bytes once decoded; the caller closes it.

    Raises:
        AudioTooLarge, UploadTimeout
    """
    body = UploadFile(spool())
    try:
        async for chunk in _bounded(request, limit * 4 // 3 + _AROUND, limit, idle_seconds):
            await body.write(chunk)
    except BaseException:
        await body.close()
        raise
    return body


async def _bounded(request: Request, most: int, limit: int, idle_seconds: float) -> AsyncGenerator[bytes, None]:
    """The body's chunks, as long as they fit and keep coming."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > most:
        raise _too_large(limit)
    chunks, total = aiter(request.stream()), 0
    while True:
        try:
            chunk = await asyncio.wait_for(anext(chunks), idle_seconds)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise UploadTimeout(f"no byte of the upload arrived for {idle_seconds:g} seconds") from error
        except ClientDisconnect as error:
            raise Cancelled from error
        total += len(chunk)
        if total > most:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> AudioTooLarge:
    return AudioTooLarge(f"the upload is larger than the {limit} bytes allowed here", param="file")
