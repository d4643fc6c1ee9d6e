"""Callers that go on asking while something breaks, and note how each request ended."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from tests.e2e.faults.verdict import Ending, Kind, Request
from tests.support.waiting import wait_until
from tests.support.words import word_errors

ROOT = Path(__file__).parents[3]
CLIP = ROOT / "runtimes/core/whisper_runtime/serving/clips/country.flac"
WORDS = "ask what you can do for your country"
PATIENCE = 400.0
"""Seconds until a caller gives up; longer than any expectation, so that a hang is seen as one."""
CONNECT = 5.0
NOTICE_A_LOST_NODE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20_000),  # where bytes wait for their acknowledgement, no probe goes
]
"""A node without power says goodbye to nobody: a caller without this waits for its answer as long as it is patient."""
TOLD = 240
PACE = 0.5
"""Seconds between two light requests of one caller."""


@dataclass(frozen=True, slots=True)
class Callers:
    """How many there are, and whom they call: each caller has one address, in turn."""

    urls: Sequence[str]
    transcribing: int = 50
    light: int = 10
    light_urls: Sequence[str] = ()


class Traffic:
    """The callers at work, in a thread of their own; `requests` has those that have ended."""

    def __init__(self, callers: Callers) -> None:
        self.requests: list[Request] = []
        self._callers = callers
        self._under_way: set[int] = set()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), name="callers")

    def start(self) -> Self:
        """Returns when every caller has a request under way."""
        self._thread.start()
        try:
            wait_until(self._all_under_way, within=60, every=0.05, what="every caller has a request under way")
        except BaseException:
            self.finished()
            raise
        return self

    def enough(self) -> None:
        """Begin no more requests."""
        self._enough.set()

    def finished(self) -> list[Request]:
        """Every request, each at its end."""
        self.enough()
        self._thread.join()
        return self.requests

    def _all_under_way(self) -> bool:
        return len(self._under_way) == self._callers.transcribing

    async def _work(self) -> None:
        callers, audio = self._callers, CLIP.read_bytes()
        lights = callers.light_urls or callers.urls
        async with _client(keepalive=True) as patient, _client(keepalive=False) as fresh:
            loops = [
                self._transcribing(patient, number, callers.urls[number % len(callers.urls)], audio)
                for number in range(callers.transcribing)
            ]
            loops += [self._light(fresh, number, lights[number % len(lights)]) for number in range(callers.light)]
            await asyncio.gather(*loops)

    async def _transcribing(self, client: httpx.AsyncClient, caller: int, url: str, audio: bytes) -> None:
        """One after the other: as many are under way at any moment as there are callers."""
        while not self._enough.is_set():
            request = client.build_request(
                "POST", f"{url}/transcribe", files={"file": ("clip.flac", audio)}, timeout=_timeout()
            )
            self._under_way.add(caller)
            self.requests.append(await send(client, request, caller, Kind.TRANSCRIPTION, right_words))
            if self.requests[-1].ending is Ending.CUT:
                await asyncio.sleep(PACE)  # no flood against a closed port

    async def _light(self, client: httpx.AsyncClient, caller: int, url: str) -> None:
        """One every so often, whatever becomes of those before: a request that hangs keeps no other from beginning."""
        async with asyncio.TaskGroup() as group:
            while not self._enough.is_set():
                group.create_task(self._one_light(client, caller, url))
                await asyncio.sleep(PACE)

    async def _one_light(self, client: httpx.AsyncClient, caller: int, url: str) -> None:
        request = client.build_request("GET", f"{url}/v1/models", timeout=_timeout())
        self.requests.append(await send(client, request, caller, Kind.LIGHT, lists_models))


def right_words(answer: httpx.Response) -> bool:
    return word_errors(WORDS, str(answer.json().get("text"))) == 0


def lists_models(answer: httpx.Response) -> bool:
    return bool(answer.json().get("data"))


async def send(
    client: httpx.AsyncClient, request: httpx.Request, caller: int, kind: Kind, good: Callable[[httpx.Response], bool]
) -> Request:
    """One request to its end, whatever that is."""
    began, attempts, runtime = time.monotonic(), 1, ""
    try:
        answer = await client.send(request)
        ending, detail = judged(answer, good)
        attempts = int(answer.headers.get("x-whisper-attempts", "1"))
        runtime = answer.headers.get("x-whisper-runtime", "")
    except httpx.ConnectTimeout as error:
        ending, detail = Ending.CUT, repr(error)
    except httpx.TimeoutException as error:
        ending, detail = Ending.HUNG, repr(error)
    except httpx.TransportError as error:
        ending, detail = Ending.CUT, repr(error)
    return Request(caller, kind, began, time.monotonic(), ending, detail, attempts, runtime)


def judged(answer: httpx.Response, good: Callable[[httpx.Response], bool]) -> tuple[Ending, str]:
    """How a request ended that was answered."""
    if answer.status_code == httpx.codes.GATEWAY_TIMEOUT:
        return Ending.TIMED_OUT, answer.text[:TOLD]
    if answer.status_code != httpx.codes.OK:
        return Ending.REFUSED, f"{answer.status_code} {answer.text[:TOLD]}"
    return (Ending.GOOD, "") if good(answer) else (Ending.WRONG, answer.text[:TOLD])


def _client(*, keepalive: bool) -> httpx.AsyncClient:
    """Connections that last, as an application's do, or a new one for each request, as a new caller's."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None if keepalive else 0)
    transport = httpx.AsyncHTTPTransport(limits=limits, socket_options=NOTICE_A_LOST_NODE)
    return httpx.AsyncClient(transport=transport, trust_env=False)


def _timeout() -> httpx.Timeout:
    return httpx.Timeout(PATIENCE, connect=CONNECT)
