"""What requests look like, for the OpenAPI document: the framework cannot see it, as uploads are read while they come.

It tells of one runtime as it is: the names of its model, its languages, its tasks.
"""

from __future__ import annotations

from typing import Any

from whisper_runtime.api.forms import FORMATS, ChunkForm, FileForm, Form, OpenAIForm, TranscribeForm
from whisper_runtime.languages import NAMES
from whisper_runtime.runtime import Runtime

REF = "#/components/schemas/{model}"
_NULL, _EMPTY = {"type": "null"}, {"type": "string", "maxLength": 0}
_MAY_BE_EMPTY = ("model", "model_name", "language")
_FILE = {"file": {"type": "string", "format": "binary", "description": "Audio in any common format."}}
_AUDIO = {"type": "string", "format": "byte", "minLength": 1, "description": "Audio in base64."}

Schema = dict[str, Any]


def request_bodies(runtime: Runtime) -> dict[str, Schema]:
    """By path."""
    transcribe, openai = _options(TranscribeForm, runtime), _options(OpenAIForm, runtime)
    openai["response_format"]["enum"] = list(FORMATS)
    openai |= {f"{name}[]": of for name, of in openai.items() if of.get("type") == "array"}
    in_form = _options(FileForm, runtime)
    form = {"required": True, "content": _multipart(openai)}
    return {
        "/transcribe": {"required": True, "content": _multipart(in_form) | _json(transcribe, ())},
        "/batch/process": {"required": True, "content": _multipart(in_form)},
        "/api/process-chunk": {
            "required": True,
            "content": _json(_options(ChunkForm, runtime), ("session_id", "chunk_id")),
        },
        "/v1/audio/transcriptions": form,
        "/v1/audio/translations": form,
    }


def names_of(runtime: Runtime) -> Schema:
    """Any name that the service answers to."""
    return {"type": "string", "enum": list(runtime.names.every)}


def _options(form: type[Form], runtime: Runtime) -> dict[str, Schema]:
    info = runtime.engine.info
    found = {name: _plain(of) for name, of in form.model_json_schema(ref_template=REF)["properties"].items()}
    codes = info.languages or tuple(NAMES)
    as_it_is = {
        "model": names_of(runtime),
        "model_name": names_of(runtime),
        "language": {"type": "string", "enum": [*codes, *(NAMES[code] for code in codes if code in NAMES)]},
    }
    if "translate" not in info.capabilities:
        as_it_is["task"] = {"type": "string", "enum": ["transcribe"], "default": "transcribe"}
    return found | {name: of for name, of in as_it_is.items() if name in found}


def _plain(schema: Schema) -> Schema:
    """Without the null that stands for absent, which a form cannot say."""
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "title") and value is not None}
    for kind in schema.get("anyOf", ()):
        kept |= kind if kind != _NULL else {}
    return kept


def _multipart(options: dict[str, Schema]) -> Schema:
    """Empty counts as absent."""
    fields = _FILE | {name: {"anyOf": [of, _EMPTY]} for name, of in options.items()}
    schema = {"type": "object", "properties": fields, "required": ["file"], "additionalProperties": True}
    return {"multipart/form-data": {"schema": schema}}


def _json(options: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    """Null counts as absent, and so does an empty name."""
    needed = {name: options[name] for name in required} | {"audio_data": _AUDIO}
    others = {
        name: {"anyOf": [of, _NULL, _EMPTY] if name in _MAY_BE_EMPTY else [of, _NULL]}
        for name, of in options.items()
        if name not in needed
    }
    schema = {"type": "object", "properties": needed | others, "required": list(needed), "additionalProperties": True}
    return {"application/json": {"schema": schema}}
