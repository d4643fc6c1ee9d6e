"""The vocabulary as whisper.cpp wants it: the bytes of each ordinary token, by number."""

from __future__ import annotations

from typing import Any

from whisper_models.errors import UnsupportedCheckpoint

ORDINARY = 50_257
"""As many as GPT-2 has, its end of text included; whisper.cpp names the ones after these itself."""


def vocabulary(tokenizer: dict[str, Any]) -> list[bytes]:
    """The tokens below ORDINARY.

    Raises:
        UnsupportedCheckpoint: it is not a byte-level vocabulary, or one with gaps.
    """
    byte_of = _byte_of_character()
    try:
        tokens = {int(token["id"]): str(token["content"]).encode() for token in tokenizer["added_tokens"]}
        for token, number in tokenizer["model"]["vocab"].items():
            tokens[int(number)] = bytes(byte_of[character] for character in token)
        return [tokens[number] for number in range(min(len(tokens), ORDINARY))]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnsupportedCheckpoint(
            f"tokenizer.json is not Whisper's ({error!r}): whisper.cpp needs a byte-level vocabulary without gaps"
        ) from error


def _byte_of_character() -> dict[str, int]:
    """Byte-level BPE writes each byte as one visible character: itself where it prints, else from 256 on."""
    visible = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    hidden = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(256 + place): byte for place, byte in enumerate(hidden)}
