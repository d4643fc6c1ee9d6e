"""Addresses that hold a secret are refused: an endpoint stands in arguments, statuses, manifests and messages."""

from __future__ import annotations

from whisper_models.errors import AuthFailed


def require_no_password(endpoint: str) -> None:
    """Refuse an address that names a user.

    Raises:
        AuthFailed: without repeating the address.
    """
    if "@" in endpoint:
        raise AuthFailed(
            "the hub's address holds a user name or password, which everyone could read in arguments and messages: "
            "write the address without them, and put an access token into a file (--token-file, tokenSecretRef)"
        )
