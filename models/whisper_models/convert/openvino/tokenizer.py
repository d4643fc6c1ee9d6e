"""A checkpoint's tokenizer.json → OpenVINO's tokenizer and detokenizer, from the steps of openvino_tokenizers.

The library's own converter starts from a transformers object; Whisper's tokenizer is always byte-level BPE, so its
steps are listed here and transformers is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import openvino as ov
from openvino_tokenizers.constants import STRING_OUTPUT_NAME, TOKEN_IDS_INPUT_NAME, UTF8ReplaceMode
from openvino_tokenizers.tokenizer_pipeline import (
    BPETokenizationStep,
    BytesToCharsStep,
    CharsToBytesStep,
    CombineSegmentsStep,
    PaddingStep,
    RegexSplitStep,
    SpecialTokensSplit,
    TokenizerPipeline,
    TruncationStep,
    UTF8ValidateStep,
    VocabDecoderStep,
)
from openvino_tokenizers.utils import change_inputs_type, change_outputs_type, update_rt_info_with_environment

from whisper_models.errors import UnsupportedCheckpoint

STRING_INPUT = "string_input"
_MODEL_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "unk_token": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "continuing_subword_prefix": "",
        "end_of_word_suffix": "",
    }
)
"""What the tokenizer format lets a file leave out, and openvino_tokenizers wants spelled out."""


def tokenizer_models(tokenizer: Mapping[str, Any], end_token: str, longest: int) -> tuple[ov.Model, ov.Model]:
    """(tokenizer, detokenizer); `end_token` pads, as Whisper does, and `longest` bounds a truncated text.

    Raises:
        UnsupportedCheckpoint: it lacks something that Whisper's tokenizers have.
    """
    pipeline = TokenizerPipeline()
    try:
        for step in _encoding(tokenizer, end_token, longest) + _decoding(tokenizer):
            pipeline.add_steps(step)
    except (KeyError, TypeError, ValueError) as error:
        raise UnsupportedCheckpoint(f"tokenizer.json is not that of a Whisper model: {error!r}") from error
    pipeline.vocab = next(s.vocab for s in pipeline.steps if isinstance(s, BPETokenizationStep))
    encode, decode = pipeline.get_tokenizer_ov_subgraph(), pipeline.get_detokenizer_ov_subgraph()
    encode.input(0).set_names({STRING_INPUT})
    decode.input(0).set_names({TOKEN_IDS_INPUT_NAME})
    decode.output(0).set_names({STRING_OUTPUT_NAME})
    for model in (encode, decode):  # without these, openvino_genai ignores its switches for special tokens
        update_rt_info_with_environment(model)
    return change_outputs_type(encode, ov.Type.i64), change_inputs_type(decode, ov.Type.i64)


def _encoding(tokenizer: Mapping[str, Any], end_token: str, longest: int) -> list[Any]:
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    combine = CombineSegmentsStep.from_hf_json_template_postprocessor(tokenizer["post_processor"])
    return [
        SpecialTokensSplit.from_string_iter(added),
        RegexSplitStep.byte_level_splitter(),
        BytesToCharsStep(),
        BPETokenizationStep.from_hf_json({**tokenizer, "model": {**_MODEL_DEFAULTS, **tokenizer["model"]}}),
        TruncationStep(max_length=longest - combine.number_of_added_tokens),
        combine,
        PaddingStep(token=end_token, _token_id=added[end_token]),
    ]


def _decoding(tokenizer: Mapping[str, Any]) -> list[Any]:
    special = [token["id"] for token in tokenizer["added_tokens"] if token["special"]]
    return [
        VocabDecoderStep(vocab=None, skip_tokens=special, do_skip_tokens=True),
        CharsToBytesStep(),
        UTF8ValidateStep(mode=UTF8ReplaceMode.REPLACE),
    ]
