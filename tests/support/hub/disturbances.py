"""How faults change what is asked for and what is answered; what they do to the bytes under way, the server does."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import replace

from tests.support.hub.answers import RANGE, Answer, error
from tests.support.hub.faults import Fault

SPARE_HEADERS = frozenset({"Content-Type", "Content-Range", "Location"})
"""All that a poor mirror sends; without `Content-Range` a part could not be told from the whole."""


def asked(byte_range: str | None, faults: Iterable[Fault]) -> str | None:
    """The range that is answered instead of the one that was asked for."""
    kinds = {fault.kind for fault in faults}
    if kinds & {"ignore_range", "bare"}:
        return None
    wanted = RANGE.fullmatch(byte_range or "")
    return f"bytes={int(wanted[1]) // 2}-" if wanted and "wrong_range" in kinds else byte_range


def refusal(path: str, faults: Iterable[Fault]) -> Answer | None:
    """What is answered without looking."""
    for fault in faults:
        if fault.kind == "status":
            refused = error(fault.status, fault.code, "made to fail")
            retry = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            return replace(refused, headers=refused.headers | retry)
        if fault.kind == "loop":
            return Answer(302, {"Location": path})
    return None


def disturbed(answer: Answer, faults: Iterable[Fault]) -> Answer:
    """The answer as these faults leave it."""
    for fault in faults:
        match fault.kind:
            case "bare":
                kept = {name: value for name, value in answer.headers.items() if name in SPARE_HEADERS}
                answer = replace(answer, headers=kept | {"Connection": "close"})
            case "gzip" if answer.file is not None:
                packed = gzip.compress(answer.file.read_bytes(), compresslevel=1)
                headers = answer.headers | {"Content-Encoding": "gzip"}
                answer = replace(answer, headers=headers, body=packed, file=None, length=len(packed))
            case "short":
                answer = replace(answer, length=max(min(answer.length, fault.after - answer.start), 0))
            case _:
                pass
    return answer
