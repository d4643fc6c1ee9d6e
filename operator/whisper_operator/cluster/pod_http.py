"""What pods of ours say about themselves over HTTP. They may be slow, gone or strange: then there is no answer."""

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from whisper_operator.plan.types import Progress

TIMEOUT = aiohttp.ClientTimeout(total=2, connect=1)
LARGEST = 4 * 2**20
PROGRESS_PORT = 8080
PROGRESS_PATH = "/progress"


class PodHttp:
    """Asks pods by their address."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def page(self, url: str) -> bytes | None:
        """The body of a 200, at most `LARGEST` bytes of it; None where there is no such answer."""
        try:
            async with self._session.get(url, timeout=TIMEOUT, allow_redirects=False) as answer:
                if answer.status != 200:  # noqa: PLR2004  # HTTP
                    return None
                body = await answer.content.read(LARGEST)
                while not answer.content.at_eof() and len(body) < LARGEST:
                    body += await answer.content.read(LARGEST - len(body))
                return body
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None

    async def pages(self, urls: Sequence[str]) -> list[bytes | None]:
        """All at once."""
        return list(await asyncio.gather(*(self.page(url) for url in urls)))

    async def progress(self, address_by_job: Mapping[str, str]) -> dict[str, Progress]:
        """What each Job's pod says; those that say nothing are left out."""
        urls = [f"http://{host(ip)}:{PROGRESS_PORT}{PROGRESS_PATH}" for ip in address_by_job.values()]
        pages = await self.pages(urls)
        found = {job: read_progress(page) for job, page in zip(address_by_job, pages, strict=True)}
        return {job: progress for job, progress in found.items() if progress is not None}


def host(ip: str) -> str:
    """An address as a URL writes it."""
    return f"[{ip}]" if ":" in ip else ip


def read_progress(page: bytes | None) -> Progress | None:
    """The progress on a page, if it is one."""
    try:
        said = json.loads(page or b"")
        return Progress(
            stage=str(said["stage"])[:32],
            bytes_done=int(said.get("bytes_done") or 0),
            bytes_total=None if said.get("bytes_total") is None else int(said["bytes_total"]),
            speed=_number(said.get("speed")),
            eta=_number(said.get("eta")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def _number(value: Any) -> float | None:
    number = None if value is None else float(value)
    return number if number is None or (math.isfinite(number) and number >= 0) else None
