"""A Whisper's OpenVINO graphs as the shared decode loop runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from whisper_runtime.decoding.graphs import Floats, Positions
from whisper_runtime.decoding.listener import Listener
from whisper_runtime.decoding.mel import LogMel
from whisper_runtime.decoding.vocabulary import Vocabulary

from whisper_npu.child import surgery
from whisper_npu.engine.messages import Opening

_AT_ONCE = 16
"""Tokens whose attention is asked for in one run. OpenVINO keeps what it prepared for each number of tokens, with each
length of audio anew: a process that timed sentences of all lengths grew by hundreds of megabytes."""


def open_listener(opening: Opening) -> Listener:
    """Compile a variant's graphs for a device, and what hears with them."""
    config: dict[str, Any] = json.loads((opening.folder / "config.json").read_text())
    graphs = OpenVinoGraphs(opening, config)
    return Listener(graphs, Vocabulary.read(opening.folder), LogMel(config["num_mel_bins"]), opening.context)


class OpenVinoGraphs:
    """The graphs of one process, which hears one window at a time: there is one decoder, and words are timed by it."""

    def __init__(self, opening: Opening, config: dict[str, Any]) -> None:
        core = ov.Core()

        def compiled(model: ov.Model) -> Any:
            return core.compile_model(model, opening.device, dict(opening.properties)).create_infer_request()

        encoder, decoder = (core.read_model(opening.folder / f"openvino_{name}_model.xml") for name in _GRAPHS)
        surgery.with_positions(encoder)
        surgery.with_attention(decoder, _heads(opening.folder, config))
        self._encoder = compiled(encoder)
        self._decoder = Decoder(compiled(decoder), config)

    def encode(self, mel: Floats, positions: Positions) -> Floats:
        """(1, steps, width): what the decoder listens to."""
        bins_first = np.ascontiguousarray(mel.transpose(0, 2, 1))
        self._encoder.infer({surgery.MEL: bins_first, surgery.POSITIONS: positions})
        return np.array(self._encoder.get_tensor(surgery.HIDDEN).data)

    def decoder(self) -> Decoder:
        """The one there is."""
        return self._decoder

    def attention(self, tokens: tuple[int, ...], audio: Floats) -> Floats:
        """(heads, tokens, steps); the decoder has forgotten what it said before."""
        if self._decoder.audio is not audio:
            self._decoder.attend(audio)
        self._decoder.rewind(0)
        filled = (*tokens, *tokens[-1:] * (-len(tokens) % _AT_ONCE))  # nothing looks ahead at what fills the last run
        rows = []
        for at in range(0, len(filled), _AT_ONCE):
            self._decoder.feed(filled[at : at + _AT_ONCE])
            rows.append(self._decoder.attention())
        return np.concatenate(rows, axis=1)[:, : len(tokens)]


class Decoder:
    """A stateful graph: it keeps the keys and values of what was heard, and of what was said, by itself.

    OpenVINO 2026.4 computes the former from where the audio of an earlier window lay (which crashes, or hears something
    else, when that memory has another use by now), so all windows are put into the same place.
    """

    def __init__(self, request: Any, config: dict[str, Any]) -> None:
        self._request = request
        self._said = [state for state in request.query_state() if surgery.SAID in state.name]
        self._place = np.zeros(config["max_source_positions"] * config["d_model"], np.float32)
        self.positions: int = config["max_target_positions"]
        self.at = 0
        self.audio: Floats | None = None
        self.logits: Floats = np.zeros(0, np.float32)
        request.set_tensor(surgery.BEAMS, ov.Tensor(np.zeros(1, np.int32)))

    def attend(self, audio: Floats) -> None:
        """Listen to another window from now on; forgets what was said."""
        self._request.reset_state()
        placed = self._place[: audio.size].reshape(audio.shape)
        placed[:] = audio
        self._request.set_tensor(surgery.AUDIO, ov.Tensor(placed, shared_memory=True))
        self.audio = audio
        self.at = 0

    def rewind(self, at: int) -> None:
        """Forget what was said after `at` tokens."""
        if at == self.at:
            return
        for state in self._said:
            if at:
                state.state = ov.Tensor(np.ascontiguousarray(state.state.data[:, :, :at]))
            else:
                state.reset()
        self.at = at

    def feed(self, tokens: tuple[int, ...]) -> Floats:
        """Feed tokens after those fed so far: `logits`, for the token after them."""
        self._request.infer({surgery.IDS: np.array([tokens], np.int64)})
        self.logits = self._request.get_tensor(surgery.LOGITS).data[0, 0]
        self.at += len(tokens)
        return self.logits

    def attention(self) -> Floats:
        """(heads, tokens, steps): of the tokens fed last."""
        return np.array(self._request.get_tensor(surgery.ATTENTION).data[0])

    def release(self) -> None:
        """Let go of the window's memory."""
        self._request.reset_state()
        self.audio = None


_GRAPHS = ("encoder", "decoder")


def _heads(folder: Path, config: dict[str, Any]) -> list[tuple[int, int]]:
    """Those that follow the audio; where a model does not say, all of its upper half, as Whisper does."""
    generation: dict[str, Any] = json.loads((folder / "generation_config.json").read_text())
    if named := generation.get("alignment_heads"):
        return [(layer, head) for layer, head in named]
    layers, heads = config["decoder_layers"], config["decoder_attention_heads"]
    return [(layer, head) for layer in range(layers // 2, layers) for head in range(heads)]
