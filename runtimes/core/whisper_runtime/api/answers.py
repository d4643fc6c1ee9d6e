"""From what was done to the contract's Result, and to the formats that OpenAI's clients expect. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from whisper_runtime.engine import EngineInfo, Options
from whisper_runtime.languages import NAMES
from whisper_runtime.results import DeviceUse, Result, Segment, Timings
from whisper_runtime.runtime import Done


def result_of(
    done: Done, options: Options, info: EngineInfo, model: str, request_id: str, degraded: Sequence[str]
) -> Result:
    """The contract's answer."""
    heard = done.outcome.heard
    transcript = heard.transcript
    segments = transcript.segments
    words = tuple(word for segment in segments for word in segment.words or ())
    return Result(
        request_id=request_id,
        task=options.task,
        text=text_of(segments),
        language=transcript.language,
        language_probability=transcript.language_probability,
        duration=round(done.audio_seconds, 3),
        segments=segments,
        words=words if options.word_timestamps else None,
        confidence=confidence(segments),
        model=model,
        device=_device(info.device, transcript.device),
        engine=info.engine,
        processing_time=done.total_seconds,
        timings=Timings(
            queue=done.outcome.queue_seconds,
            decode=done.decode_seconds,
            vad=heard.vad_seconds,
            inference=heard.inference_seconds,
            align=transcript.align_seconds,
        ),
        degraded=tuple(dict.fromkeys((*degraded, *transcript.degraded))),
    )


def _device(asked: DeviceUse, heard: DeviceUse | None) -> DeviceUse:
    """What heard it, beside what this request asked for; the engine's own reason says more than ours."""
    if heard is None:
        return asked
    same = heard.used.lower() == asked.requested.lower()
    reason = None if same else heard.fallback_reason or asked.fallback_reason
    return DeviceUse(requested=asked.requested, used=heard.used, fallback_reason=reason)


def text_of(segments: Sequence[Segment]) -> str:
    """All that was said."""
    return "".join(segment.text for segment in segments).strip()


def logprobs_of(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """Of all tokens of the text, in order."""
    return [one.model_dump() for segment in segments for one in segment.logprobs or ()]


def confidence(segments: Sequence[Segment]) -> float | None:
    """The mean probability of a token, each segment weighted by its length; None if no engine said."""
    known = [(s.avg_logprob, s.end - s.start) for s in segments if s.avg_logprob is not None and s.end > s.start]
    total = sum(weight for _, weight in known)
    return math.exp(sum(logprob * weight for logprob, weight in known) / total) if total else None


def plain_json(result: Result, *, logprobs: bool = False) -> dict[str, Any]:
    """`response_format=json`."""
    more = {"logprobs": logprobs_of(result.segments)} if logprobs else {}
    return {"text": result.text, "usage": _usage(result)} | more


def verbose_json(result: Result, granularities: Sequence[str]) -> dict[str, Any]:
    """`response_format=verbose_json`: words at the top level, numbers wherever the client's types want numbers."""
    body: dict[str, Any] = {
        "task": result.task,
        "language": _language_of_the_text(result),
        "duration": result.duration,
        "text": result.text,
        "usage": _usage(result),
    }
    if "segment" in granularities or not granularities:
        body["segments"] = [_openai_segment(segment) for segment in result.segments]
    if "word" in granularities:
        body["words"] = [{"word": w.word.strip(), "start": w.start, "end": w.end} for w in result.words or ()]
    return body


def _language_of_the_text(result: Result) -> str:
    """What was spoken, or what it was translated to."""
    code = "en" if result.task == "translate" else result.language or "unknown"
    return NAMES.get(code, code)


def _openai_segment(segment: Segment) -> dict[str, Any]:
    return {
        "id": segment.id,
        "seek": segment.seek,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": list(segment.tokens),
        "temperature": segment.temperature,
        "avg_logprob": segment.avg_logprob or 0.0,
        "compression_ratio": segment.compression_ratio or 0.0,
        "no_speech_prob": segment.no_speech_prob or 0.0,
    }


def _usage(result: Result) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(result.duration)}


def srt(result: Result) -> str:
    """SubRip subtitles."""
    blocks = (
        f"{i}\n{_clock(s.start, ',')} --> {_clock(s.end, ',')}\n{_one_line(s.text)}\n"
        for i, s in enumerate(result.segments, 1)
    )
    return "\n".join(blocks)


def vtt(result: Result) -> str:
    """WebVTT subtitles."""
    blocks = (f"{_clock(s.start, '.')} --> {_clock(s.end, '.')}\n{_one_line(s.text)}\n" for s in result.segments)
    return "\n".join(("WEBVTT\n", *blocks))


def _clock(seconds: float, point: str) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}{point}{milliseconds % 1000:03d}"


def _one_line(text: str) -> str:
    """Subtitles end a block at an empty line and mark times with an arrow: neither may come from the words."""
    return " ".join(text.split()).replace("-->", "->")
