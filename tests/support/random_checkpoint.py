"""A small Whisper with random weights and any dimensions, for shapes of which no real weights are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

WIDTH, HEADS, INNER, VOCABULARY, WINDOW, TEXT = 64, 2, 128, 500, 100, 32
LAYERS = {"encoder": 3, "decoder": 2}
"""Not as many in the one as in the other, which turbo and all distilled models have."""

END = "<|endoftext|>"

Tensors = dict[str, npt.NDArray[Any]]


def random_tensors(mel_bins: int, seed: int = 0) -> Tensors:
    """All tensors of a checkpoint, float16."""
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> npt.NDArray[Any]:
        return (random.standard_normal(shape) * 0.2).astype(np.float16)

    tensors = {
        "model.encoder.conv1.weight": draw(WIDTH, mel_bins, 3),
        "model.encoder.conv1.bias": draw(WIDTH),
        "model.encoder.conv2.weight": draw(WIDTH, WIDTH, 3),
        "model.encoder.conv2.bias": draw(WIDTH),
        "model.encoder.embed_positions.weight": draw(WINDOW, WIDTH),
        "model.decoder.embed_positions.weight": draw(TEXT, WIDTH),
        "model.decoder.embed_tokens.weight": draw(VOCABULARY, WIDTH),
    }
    norms = ["model.encoder.layer_norm", "model.decoder.layer_norm"]
    for stack, attentions in (("encoder", ["self_attn"]), ("decoder", ["self_attn", "encoder_attn"])):
        for layer in (f"model.{stack}.layers.{index}" for index in range(LAYERS[stack])):
            norms += [f"{layer}.final_layer_norm", *(f"{layer}.{attention}_layer_norm" for attention in attentions)]
            tensors[f"{layer}.fc1.weight"], tensors[f"{layer}.fc1.bias"] = draw(INNER, WIDTH), draw(INNER)
            tensors[f"{layer}.fc2.weight"], tensors[f"{layer}.fc2.bias"] = draw(WIDTH, INNER), draw(WIDTH)
            for attention in attentions:
                for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    tensors[f"{layer}.{attention}.{name}.weight"] = draw(WIDTH, WIDTH)
                    if name != "k_proj":
                        tensors[f"{layer}.{attention}.{name}.bias"] = draw(WIDTH)
    for norm in norms:
        tensors[f"{norm}.weight"], tensors[f"{norm}.bias"] = 1 + draw(WIDTH), draw(WIDTH)
    return tensors


def tokenizer() -> dict[str, Any]:
    """Every byte is a token, and so are the marks that Whisper cannot do without."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    characters = [chr(byte) for byte in visible] + [chr(256 + place) for place in range(256 - len(visible))]
    marks = [END, "<|startoftranscript|>", "<|notimestamps|>"]
    added = [
        {"id": len(characters) + place, "content": mark, "special": True, "single_word": False, "lstrip": False}
        | {"rstrip": False, "normalized": False}
        for place, mark in enumerate(marks)
    ]
    sequence = [{"SpecialToken": {"id": marks[1], "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    special = {
        mark["content"]: {"id": mark["content"], "ids": [mark["id"]], "tokens": [mark["content"]]} for mark in added
    }
    return {
        "version": "1.0",
        "added_tokens": added,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": sequence,
            "pair": [*sequence, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": special,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "vocab": {character: number for number, character in enumerate(characters)},
            "merges": [],
        },
    }


def write_configs(folder: Path, mel_bins: int) -> None:
    """The JSON files that go with them."""
    config = {
        "model_type": "whisper",
        "activation_function": "gelu",
        "d_model": WIDTH,
        "vocab_size": VOCABULARY,
        "num_mel_bins": mel_bins,
        "encoder_layers": LAYERS["encoder"],
        "decoder_layers": LAYERS["decoder"],
        "encoder_attention_heads": HEADS,
        "decoder_attention_heads": HEADS,
        "max_source_positions": WINDOW,
        "max_target_positions": TEXT,
    }
    files = {
        "config.json": config,
        "generation_config.json": {"alignment_heads": [[0, 1], [1, 0], [1, 1]]},
        "preprocessor_config.json": {"feature_size": mel_bins},
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": {"eos_token": END},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))


def write_whole(folder: Path, tensors: Tensors, mel_bins: int) -> Path:
    """One file of weights."""
    write_configs(folder, mel_bins)
    save_file(tensors, folder / "model.safetensors")
    return folder


def write_sharded(folder: Path, tensors: Tensors, mel_bins: int, shards: int = 3) -> Path:
    """The same in several files and an index of them."""
    write_configs(folder, mel_bins)
    names = [f"model-{number + 1:05d}-of-{shards:05d}.safetensors" for number in range(shards)]
    weight_map = {tensor: names[index % shards] for index, tensor in enumerate(tensors)}
    for name in names:
        save_file({tensor: tensors[tensor] for tensor, at in weight_map.items() if at == name}, folder / name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return folder
