"""One watch for each kind; every event goes to `seen`, in kopf's own thread.

The thread has its own event loop because kopf, when it ends, cancels every task of its loop that it did not know at its
start. A watch error other than 410 ends kopf: whoever runs this starts it again.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import kopf

from whisper_operator.cluster.kinds import CUSTOM, SELECTOR, WATCHED, Kind
from whisper_operator.plan.types import Manifest

Seen = Callable[[str | None, Manifest], None]
SERVER_TIMEOUT = 300
PAGE = 500


def registry(seen: Seen) -> kopf.OperatorRegistry:
    """What kopf is to watch, and how it logs in."""
    found = kopf.OperatorRegistry()
    kopf.on.login(registry=found)(login)
    for kind in WATCHED:
        kopf.on.event(kind.group, kind.version, kind.plural, registry=found, id=kind.plural)(handler(kind, seen))
    return found


def handler(kind: Kind, seen: Seen) -> Callable[..., None]:
    """Hands one kind's events on."""
    head = {"apiVersion": kind.api_version, "kind": kind.kind}

    def event_seen(event: Any, **_: Any) -> None:
        seen(event["type"], head | event["object"])

    return event_seen


def settings() -> kopf.OperatorSettings:
    """No postings, no scanning, no finalizers, and only what carries our label."""
    found = kopf.OperatorSettings()
    found.posting.enabled = False
    found.scanning.disabled = True
    found.networking.request_timeout = 30
    found.networking.connect_timeout = 5
    found.networking.error_backoffs = (1, 1, 2, 3, 5)
    found.watching.server_timeout = SERVER_TIMEOUT
    found.watching.connect_timeout = 5
    found.watching.chunk_size = PAGE
    for kind in WATCHED:
        if kind not in CUSTOM:
            found.watching.label_selectors[kind.group, kind.version, kind.plural] = SELECTOR
    return found


def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """As the operator's own connection does: the pod's service account, unless KUBECONFIG says otherwise."""
    address = os.environ.get("KUBERNETES_SERVICE_HOST")
    if not address or "KUBECONFIG" in os.environ:
        return kopf.login_with_kubeconfig(**kwargs)
    found = kopf.login_with_service_account(**kwargs)
    host = f"[{address}]" if ":" in address else address
    return found and replace(found, server=f"https://{host}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}")


class Watch:
    """kopf's watches, in whatever thread calls `run`."""

    def __init__(self, seen: Seen, namespaces: Sequence[str]) -> None:
        self._registry = registry(seen)
        self._namespaces = namespaces
        self._stopped = False
        self._inside: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def run(self) -> None:
        """Watch until told to stop, or until kopf gives up."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """From any thread."""
        self._stopped = True
        if self._inside is not None:
            loop, flag = self._inside
            with suppress(RuntimeError):  # its loop has ended by itself
                loop.call_soon_threadsafe(flag.set)

    async def _run(self) -> None:
        # An event of this loop: for a thread's event kopf leaves a thread behind, for which a failed run would wait.
        flag = asyncio.Event()
        self._inside = asyncio.get_running_loop(), flag
        if self._stopped:
            return
        await kopf.operator(
            registry=self._registry,
            settings=settings(),
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=flag,
        )
