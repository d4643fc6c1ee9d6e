"""The process of one pipeline: `python -m whisper_npu.engine.child FD`, with a socket to the runtime as its argument.

OpenVINO GenAI holds Python's global lock while it compiles, minutes on an NPU, so in the runtime's own process nothing
else would be answered. A process also is what can be ended when a driver hangs, and lost when one crashes.

A pipeline that has raised is never used again: one that refused a prompt answered the next request with that prompt.
"""

from __future__ import annotations

import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import openvino
from openvino_genai import WhisperPipeline

from whisper_npu.engine.messages import Chunk, FoundDevice, Heard, Look, Opened, Opening, Problem, Survey, Wish

_DRIVER = ("NPU_DRIVER_VERSION", "GPU_DRIVER_VERSION")
_MEMORY = ("NPU_DEVICE_TOTAL_MEM_SIZE", "GPU_DEVICE_TOTAL_MEM_SIZE")
_TRAITS = ("DEVICE_ARCHITECTURE", "OPTIMIZATION_CAPABILITIES")
_MAX_CONTEXT = 223
"""Tokens of prompt and hotwords together: half of the decoder's positions, less the token that announces them."""


def main() -> None:
    """Do what the first message says, then one wish after the other until the runtime closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the runtime drains, and tells us
    with Connection(int(sys.argv[1])) as runtime:
        asked = runtime.recv()
        try:
            if isinstance(asked, Look):
                runtime.send(survey())
            else:
                _serve(runtime, asked)
        except EOFError:
            return
        except MemoryError as error:
            runtime.send(Problem(str(error) or "no more memory", out_of_memory=True))
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is told, and ends this process
            runtime.send(Problem(_sentence(error)))


def _serve(runtime: Connection, opening: Opening) -> None:
    pipeline = WhisperPipeline(opening.folder, opening.device, **opening.properties)
    runtime.send(Opened())
    while True:
        runtime.send(hear(pipeline, runtime.recv()))


def survey() -> Survey:
    """The devices whose drivers answer."""
    core = openvino.Core()
    return Survey(tuple(_describe(core, name) for name in core.available_devices), openvino.get_version())


def _describe(core: Any, name: str) -> FoundDevice:
    offered = set(core.get_property(name, "SUPPORTED_PROPERTIES"))

    def first(names: tuple[str, ...]) -> Any:
        return next((core.get_property(name, one) for one in names if one in offered), None)

    driver, memory = first(_DRIVER), first(_MEMORY)
    return FoundDevice(
        name=name,
        description=str(core.get_property(name, "FULL_DEVICE_NAME")),
        driver=None if driver is None else str(driver),
        memory_bytes=None if memory is None else int(memory),
        traits=tuple(f"{one}={core.get_property(name, one)}" for one in _TRAITS if one in offered),
    )


def hear(pipeline: WhisperPipeline, wish: Wish) -> Heard:
    """One generation; its options are given anew each time, so that none sticks."""
    audio = np.ascontiguousarray(wish.audio, np.float32)
    result = pipeline.generate(audio, return_timestamps=True, word_timestamps=wish.words, **_options(pipeline, wish))
    words = result.words or () if wish.words else ()
    return Heard(
        chunks=tuple(_chunk(chunk.start_ts, chunk.end_ts, chunk.text) for chunk in result.chunks or ()),
        words=tuple(_chunk(word.start_ts, word.end_ts, word.word) for word in words),
        language=(result.language or "").strip("<|>") or None,
    )


def _chunk(start: float, end: float, text: str) -> Chunk:
    return Chunk(round(start, 2), round(end, 2) if end >= 0 else None, text)


def _options(pipeline: WhisperPipeline, wish: Wish) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if pipeline.get_generation_config().is_multilingual:
        options["task"] = wish.task
        if wish.language:
            options["language"] = f"<|{wish.language}|>"
    if wish.temperature > 0:
        options |= {"do_sample": True, "temperature": wish.temperature, "rng_seed": 0}  # the same audio, the same text
    return options | _context(pipeline.get_tokenizer(), wish)


def _context(tokenizer: Any, wish: Wish) -> dict[str, str]:
    """Prompt and hotwords, cut to what fits: the pipeline refuses more, and is of no use afterwards."""
    hotwords, taken = _shortened(tokenizer, wish.hotwords, _MAX_CONTEXT // 2, keep_end=False)
    prompt, _ = _shortened(tokenizer, wish.prompt, _MAX_CONTEXT - taken, keep_end=True)
    given = {"initial_prompt": prompt, "hotwords": hotwords}
    return {name: text for name, text in given.items() if text}


def _shortened(tokenizer: Any, text: str | None, limit: int, *, keep_end: bool) -> tuple[str, int]:
    """As much of a text as `limit` tokens hold, and how many it takes."""
    if not text or not text.strip():
        return "", 0
    text = f" {text.strip()}"
    ids = tokenizer.encode(text, add_special_tokens=False).input_ids.data[0]
    if len(ids) <= limit:
        return text, len(ids)
    return tokenizer.decode((ids[-limit:] if keep_end else ids[:limit]).tolist()), limit


def _sentence(error: Exception) -> str:
    """OpenVINO's errors are a stack of source locations with the sentence at their end."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Exception from")]
    return " ".join(lines[-2:])[:500] or type(error).__name__


if __name__ == "__main__":
    main()
