"""ONNX Runtime over the graphs that `convert.onnx` writes: the reference, and the cpu runtime's format.

Deliberately plainer than the cpu runtime's loop: no bound buffers, no timestamps, nothing to be fast with.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from whisper_models.validate.transcribers import MOST_TOKENS, Transcribe
from whisper_models.validate.transcribers.mel import FRAMES, log_mel

Arrays = dict[str, npt.NDArray[Any]]
GRAPHS = ("encoder", "decoder", "align")


def load(path: Path) -> Transcribe:
    """Open all three graphs; the alignment is opened only to see that it can be."""
    return _Listener(path).transcribe


class _Listener:
    def __init__(self, folder: Path) -> None:
        config, self._orders = _json(folder / "config.json"), _json(folder / "generation_config.json")
        self._sessions = {name: _session(folder / f"{name}.onnx") for name in GRAPHS}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._bins: int = config["num_mel_bins"]
        self._languages: dict[str, int] = self._orders.get("lang_to_id") or {}
        shape = (1, config["decoder_attention_heads"], config["max_target_positions"], -1)
        self._empty = np.zeros((config["max_target_positions"], config["d_model"]), np.float32).reshape(shape)
        self._end = self._orders["eos_token_id"]
        self._never = [token for token in self._orders.get("suppress_tokens") or () if token < config["vocab_size"]]

    def transcribe(self, audio: npt.NDArray[np.float32], language: str | None) -> str:
        mel = log_mel(audio, self._bins)
        heard = self._run("encoder", {"mel": mel, "epos": np.arange(FRAMES // 2)})
        cross = {name: array for name, array in heard.items() if name.startswith("cross_")}
        said = self._greedy(cross, self._prompt(cross, language))
        return str(self._tokenizer.decode(said, skip_special_tokens=True))

    def _prompt(self, cross: Arrays, language: str | None) -> list[int]:
        begin = [self._orders["decoder_start_token_id"]]
        if self._languages:
            begin += [self._known(language) if language else self._detect(cross, begin)]
            begin += [self._orders["task_to_id"]["transcribe"]]
        return [*begin, self._orders["no_timestamps_token_id"]]

    def _known(self, language: str) -> int:
        token = self._languages.get(f"<|{language}|>")
        if token is None:
            raise ValueError(
                f"the model does not speak {language!r}: name a sample NAME.LANGUAGE.wav after a language that it does"
            )
        return token

    def _detect(self, cross: Arrays, begin: list[int]) -> int:
        logits = self._decode(begin, cross, self._fresh(), 0)["logits"][0, 0]
        return max(self._languages.values(), key=lambda token: float(logits[token]))

    def _greedy(self, cross: Arrays, prompt: list[int]) -> list[int]:
        said: list[int] = []
        new, past, done = prompt, self._fresh(), 0
        first = [*self._never, *(self._orders.get("begin_suppress_tokens") or ())]
        while len(said) < MOST_TOKENS and done + len(new) <= self._empty.shape[2]:
            answer = self._decode(new, cross, past, done)
            past = {f"past_{name[8:]}": array for name, array in answer.items() if name.startswith("present_")}
            done += len(new)
            token = self._likeliest(answer["logits"][0, 0], self._never if said else first)
            if token == self._end:
                break
            said.append(token)
            new = [token]
        return said

    def _likeliest(self, logits: npt.NDArray[np.float32], never: list[int]) -> int:
        """Of words and the end: what lies beyond is orders and times."""
        allowed = logits[: self._end + 1].copy()
        allowed[[token for token in never if token <= self._end]] = -np.inf
        return int(allowed.argmax())

    def _decode(self, tokens: list[int], cross: Arrays, past: Arrays, done: int) -> Arrays:
        total = done + len(tokens)
        lengths = {"seqlens_k": np.array([total - 1], np.int32), "total": np.array([total], np.int32)}
        new = {"ids": np.array([tokens], np.int64), "pos": np.arange(done, total)}
        return self._run("decoder", {**new, **lengths, **cross, **past})

    def _fresh(self) -> Arrays:
        inputs = [place.name for place in self._sessions["decoder"].get_inputs()]
        return {name: self._empty for name in inputs if name.startswith("past_")}

    def _run(self, graph: str, feed: Arrays) -> Arrays:
        session = self._sessions[graph]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feed), strict=True))


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
