"""What is counted of jobs; what is counted of all audio counts theirs too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from whisper_runtime.serving.job import State


class BatchMetrics:
    """In the registry of the app."""

    def __init__(self, registry: CollectorRegistry, count: Callable[[State], int]) -> None:
        about = "Jobs that wait (queued), are at work (running), or whose end is remembered (the other states)."
        jobs = Gauge("whisper_batch_jobs", about, ("state",), registry=registry)
        for state in State:
            jobs.labels(state).set_function(partial(count, state))
        self._ended = Counter("whisper_batch_jobs_ended", "Jobs that ended, by how.", ("state",), registry=registry)

    def ended(self, state: State) -> None:
        """A job has ended."""
        self._ended.labels(state).inc()
