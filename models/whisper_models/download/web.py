"""How servers are spoken to: which certificates are trusted, which proxy is used, how long is waited.

Proxies come from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as everywhere. Trusted are the system's authorities, or those of
SSL_CERT_FILE in their place, and besides them the ones in a file that the source names.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import httpx2
from huggingface_hub import constants, set_client_factory
from huggingface_hub.errors import OfflineModeIsEnabled

from whisper_models.download.retry import Patience
from whisper_models.errors import TlsFailed

AGENT = "whisper-models"


def client(patience: Patience, authorities: Path | None, token: str | None) -> httpx2.Client:
    """A client for files.

    Raises:
        TlsFailed: the authorities' certificates cannot be read.
    """
    headers = {"Accept-Encoding": "identity", "User-Agent": AGENT}
    if token:
        headers["Authorization"] = f"Bearer {token}"  # httpx2 drops it when a redirect leaves the host
    return httpx2.Client(
        headers=headers, timeout=timeout(patience), follow_redirects=True, verify=_context(*_named(authorities))
    )


def timeout(patience: Patience) -> httpx2.Timeout:
    """For one request."""
    return httpx2.Timeout(patience.silence, connect=patience.connect)


class _HubClient:
    """What the Hub's own client connects with; it has one for the whole process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trusted: object = object()

    def trust(self, authorities: Path | None) -> None:
        """From now on, these authorities too.

        Raises:
            TlsFailed: their certificates cannot be read.
        """
        wanted = _named(authorities)
        with self._lock:
            if self._trusted != wanted:  # or a question that somebody else has under way would be cut off
                context = _context(*wanted)
                set_client_factory(lambda: _for_the_hub(context))
                self._trusted = wanted


hub_client = _HubClient()


def _for_the_hub(context: ssl.SSLContext) -> httpx2.Client:
    return httpx2.Client(event_hooks={"request": [_stay_offline]}, follow_redirects=True, timeout=None, verify=context)


def _stay_offline(request: httpx2.Request) -> None:
    """As the Hub's own client does where somebody says HF_HUB_OFFLINE."""
    if constants.is_offline_mode():
        raise OfflineModeIsEnabled(f"{request.url.host} is not asked, since HF_HUB_OFFLINE is set")


def _named(authorities: Path | None) -> tuple[Path | None, str | None, str | None]:
    """All that says whom to trust."""
    return authorities, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")


@lru_cache(maxsize=1)  # a run asks and fetches with the same: reading a system's authorities takes 25 ms
def _context(authorities: Path | None, *_environment: str | None) -> ssl.SSLContext:
    try:
        context = httpx2.create_ssl_context()
        if authorities is not None:
            context.load_verify_locations(cafile=str(authorities))
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        named = authorities or "the file that SSL_CERT_FILE names"
        raise TlsFailed(
            f"the certificates of authorities in {named} cannot be read ({_said(error)}): put them there in PEM"
        ) from error
    return context


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__


def header_number(headers: Mapping[str, str], name: str) -> int | None:
    """A header that is a plain number of a believable length."""
    said = headers.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None  # noqa: PLR2004 - a petabyte
