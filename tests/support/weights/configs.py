"""The JSON files of a published Whisper checkpoint, from what the CTranslate2 folder and the tensors' shapes say."""

from __future__ import annotations

from typing import Any

from tests.support.weights.checkpoint import layers
from tests.support.weights.ctranslate2 import Tensors

Json = dict[str, Any]

MULTILINGUAL_VOCABULARY = 51865  # and upwards; English-only models have one token less
END, START, PREVIOUS, NO_TIMESTAMPS = "<|endoftext|>", "<|startoftranscript|>", "<|startofprev|>", "<|notimestamps|>"


def configs(tensors: Tensors, ct2: Json, tokenizer: Json) -> dict[str, Json]:
    """File name → content."""
    special = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    return {
        "config.json": model_config(tensors, special),
        "generation_config.json": generation_config(tensors, ct2, special),
        "preprocessor_config.json": preprocessor_config(tensors),
        "tokenizer_config.json": tokenizer_config(special),
    }


def model_config(tensors: Tensors, special: dict[str, int]) -> Json:
    heads = int(tensors["encoder/num_heads"])
    width, mel_bins, _ = tensors["encoder/conv1/weight"].shape
    inner = tensors["encoder/layer_0/ffn/linear_0/weight"].shape[0]
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "torch_dtype": "float16",
        "activation_function": "gelu",
        "vocab_size": tensors["decoder/embeddings/weight"].shape[0],
        "num_mel_bins": mel_bins,
        "d_model": width,
        "encoder_layers": layers(tensors, "encoder"),
        "decoder_layers": layers(tensors, "decoder"),
        "num_hidden_layers": layers(tensors, "encoder"),
        "encoder_attention_heads": heads,
        "decoder_attention_heads": heads,
        "encoder_ffn_dim": inner,
        "decoder_ffn_dim": inner,
        "max_source_positions": tensors["encoder/position_encodings/encodings"].shape[0],
        "max_target_positions": tensors["decoder/position_encodings/encodings"].shape[0],
        "scale_embedding": False,
        "is_encoder_decoder": True,
        "use_cache": True,
        **_ends(special),
    }


def generation_config(tensors: Tensors, ct2: Json, special: dict[str, int]) -> Json:
    multilingual = tensors["decoder/embeddings/weight"].shape[0] >= MULTILINGUAL_VOCABULARY
    config = {
        "alignment_heads": ct2["alignment_heads"],
        "begin_suppress_tokens": ct2["suppress_ids_begin"],
        "suppress_tokens": ct2["suppress_ids"],
        "is_multilingual": multilingual,
        "max_initial_timestamp_index": 50,
        "max_length": tensors["decoder/position_encodings/encodings"].shape[0],
        "no_timestamps_token_id": special[NO_TIMESTAMPS],
        "prev_sot_token_id": special[PREVIOUS],
        "return_timestamps": False,
        **_ends(special),
    }
    if multilingual:
        token = {identifier: content for content, identifier in special.items()}
        config["lang_to_id"] = {token[identifier]: identifier for identifier in ct2["lang_ids"]}
        config["task_to_id"] = {task: special[f"<|{task}|>"] for task in ("transcribe", "translate")}
    return config


def preprocessor_config(tensors: Tensors) -> Json:
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": tensors["encoder/conv1/weight"].shape[1],
        "sampling_rate": 16000,
        "hop_length": 160,
        "n_fft": 400,
        "chunk_length": 30,
        "n_samples": 480000,
        "nb_max_frames": 3000,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
    }


def tokenizer_config(special: dict[str, int]) -> Json:
    named = sorted((i, token) for token, i in special.items() if token != END and i <= special[NO_TIMESTAMPS])
    return {
        "tokenizer_class": "WhisperTokenizer",
        "processor_class": "WhisperProcessor",
        "model_max_length": 1024,
        "bos_token": END,
        "eos_token": END,
        "unk_token": END,
        "pad_token": END,
        # transformers shifts every timestamp when these are not named here
        "additional_special_tokens": [token for _, token in named],
        "add_prefix_space": False,
        "errors": "replace",
    }


def _ends(special: dict[str, int]) -> Json:
    end = special[END]
    return {
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": special[START],
    }
