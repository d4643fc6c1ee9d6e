"""Wait until both resources are ready, saying each change once, and never for ever."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.demo_run import report
from scripts.demo_run.kubectl import Kubectl
from scripts.demo_run.settings import NAMESPACE, OPERATOR_NAMESPACE
from scripts.progress import Progress

WATCHED = (("modelset", "whisper"), ("whisperservice", "whisper"))
STILL_SECONDS = 240  # nothing new for so long, and it will not come by itself
LONGEST_SECONDS = 3600
ATTEMPTS = 3  # the operator tries on; a person need not watch that
TAIL_LINES = 12


class NotReadyError(Exception):
    """The resources did not become ready; the message says what they say, and what to look at."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, on which clock."""

    still: float = STILL_SECONDS
    longest: float = LONGEST_SECONDS
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[], None] = lambda: time.sleep(0.5)


Look = Callable[[str, str], dict[str, Any] | None]


def wait_until_ready(look: Look, progress: Progress, patience: Patience) -> None:
    """Return when both are ready; raises NotReadyError when one is stalled or nothing moves any more."""
    started = moved = patience.clock()
    seen: dict[str, str] = {}
    failed_before: dict[str, int] = {}
    while True:
        found = {kind: look(kind, name) for kind, name in WATCHED}
        now = dict(pair for kind, resource in found.items() for pair in report.lines(kind, resource))
        for topic, text in now.items():
            progress.changed(topic, text)
        if all(report.is_ready(resource) for resource in found.values()):
            return
        if stalled := [kind for kind, resource in found.items() if report.is_stalled(resource)]:
            raise NotReadyError(f"{' and '.join(stalled)} cannot go on until someone acts")
        for name, attempts in report.failures(found["modelset"]).items():
            if attempts - failed_before.setdefault(name, attempts) >= ATTEMPTS:
                raise NotReadyError(f"{name} cannot be had: {now[f'modelset {name}']}")
        if now != seen:
            seen, moved = now, patience.clock()
        if patience.clock() - moved > patience.still:
            raise NotReadyError(f"nothing changed for {patience.still:.0f} s")
        if patience.clock() - started > patience.longest:
            raise NotReadyError(f"not ready after {patience.longest:.0f} s")
        patience.pause()


def circumstances(kubectl: Kubectl) -> str:
    """What a person would look at next: pods, the latest events, the operator's last words."""
    sections = (
        ("pods", ["get", "pods", "-A", "-o", "wide"]),
        ("events", ["get", "events", "-n", NAMESPACE, "--sort-by=.lastTimestamp"]),
        ("operator", ["logs", "-n", OPERATOR_NAMESPACE, "-l", "app.kubernetes.io/name=whisper-operator", "--tail=10"]),
    )
    return "\n".join(f"{title}:\n{_tail(kubectl, words)}" for title, words in sections)


def _tail(kubectl: Kubectl, words: list[str]) -> str:
    try:
        text = kubectl.run(*words)
    except Exception as error:  # noqa: BLE001  a report about one failure must not end in another
        text = str(error)
    return "\n".join(f"    {line}" for line in text.splitlines()[-TAIL_LINES:])
