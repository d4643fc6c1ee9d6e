"""The contract's metrics, in a registry of the app's own. No label holds anything that a caller chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from whisper_runtime.engine import EngineInfo
from whisper_runtime.serving.admission import Admission
from whisper_runtime.serving.inference import Outcome

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
_FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_BATCHES = (1, 2, 4, 8)
_WHERE = ("model", "device", "endpoint")
_CANARY = (
    "1 for each check that ran before the first request and passed: isolation (a clip gives the same before and after "
    "another one), words (the clip in the model's manifest gives the words recorded there). A check that did not run, "
    "or could not tell, has no series; a model that fails one never becomes ready."
)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Fallbacks(Collector):
    """What the engine has counted: it alone sees its devices fail."""

    def __init__(self, info: Callable[[], EngineInfo]) -> None:
        self._info = info

    def collect(self) -> Iterator[CounterMetricFamily]:
        about = "Times that a device was wanted and another one used."
        family = CounterMetricFamily("whisper_fallback", about, labels=("from", "to", "reason"))
        for fallback, times in self._info().fallbacks.items():
            family.add_metric(astuple(fallback), times)
        yield family


class _Queue(Collector):
    """As it is at the moment, and for the device that would hear it now."""

    def __init__(self, model: str, info: Callable[[], EngineInfo], admission: Admission) -> None:
        self._model, self._info, self._admission = model, info, admission

    def collect(self) -> Iterator[GaugeMetricFamily]:
        where = (self._model, self._info().device.used)
        depth, seconds = self._admission.depth, self._admission.queued_seconds
        for name, about, value in (
            ("whisper_queue_depth", "Requests admitted and not finished.", depth),
            ("whisper_queue_audio_seconds", "What is left to hear of their audio.", seconds),
        ):
            family = GaugeMetricFamily(name, about, labels=("model", "device"))
            family.add_metric(where, value)
            yield family


class Metrics:
    """Counts for one app that serves one model on one device."""

    def __init__(self, model: str, info: Callable[[], EngineInfo], admission: Admission) -> None:
        self.registry = CollectorRegistry()
        self._model, self._info = model, info
        r = self.registry
        r.register(_Fallbacks(info))
        self._requests = Counter("whisper_requests", "Requests answered.", (*_WHERE, "code"), registry=r)
        self._rejected = Counter("whisper_rejected", "Requests refused.", (*_WHERE, "reason"), registry=r)
        self._audio = Counter("whisper_audio_seconds", "Audio transcribed.", _WHERE, registry=r)
        self._waited = Histogram(
            "whisper_queue_wait_seconds", "Time spent waiting for turns.", _WHERE, registry=r, buckets=_SECONDS
        )
        self._inference = Histogram(
            "whisper_inference_seconds", "Time of inference.", _WHERE, registry=r, buckets=_SECONDS
        )
        self._factor = Histogram("whisper_realtime_factor", "Inference ÷ audio.", _WHERE, registry=r, buckets=_FACTORS)
        self._together = Histogram(
            "whisper_batch_size", "Windows of a file decoded at once.", _WHERE, registry=r, buckets=_BATCHES
        )
        self._suppressed = Counter(
            "whisper_hallucination_suppressed", "Windows left out.", (*_WHERE, "rule"), registry=r
        )
        self._in_full = Counter(
            "whisper_heard_in_full",
            "Windows heard once more in the model's full context, since the short one was not believed.",
            (*_WHERE, "reason"),
            registry=r,
        )
        self._loaded = Gauge("whisper_model_loaded", "1 once the model is loaded.", ("model", "device"), registry=r)
        self._canary = Gauge("whisper_canary_ok", _CANARY, ("model", "device", "check"), registry=r)
        self._load = Gauge(
            "whisper_model_load_seconds", "How long loading took.", ("model", "device", "cache"), registry=r
        )
        self._hung = Counter("whisper_hung_threads", "Threads that make no progress.", ("model", "device"), registry=r)
        r.register(_Queue(model, info, admission))

    def _device(self) -> str:
        return self._info().device.used

    def loaded(self, seconds: float) -> None:
        """The model is loaded, and fitted to its device."""
        self._loaded.labels(self._model, self._device()).set(1)
        self._load.labels(self._model, self._device(), self._info().compile_cache).set(seconds)

    def proved(self, checks: Iterable[str]) -> None:
        """These checks ran before the first request, and passed."""
        for check in checks:
            self._canary.labels(self._model, self._device(), check).set(1)

    def hung(self, threads: int) -> None:
        """So many threads hang."""
        self._hung.labels(self._model, self._device()).inc(threads)

    def answered(self, endpoint: str, status: int) -> None:
        """A request was answered, well or not."""
        self._requests.labels(self._model, self._device(), endpoint, str(status)).inc()

    def rejected(self, endpoint: str, reason: str) -> None:
        """A request was refused, and why."""
        self._rejected.labels(self._model, self._device(), endpoint, reason).inc()

    def transcribed(self, endpoint: str, seconds: float, outcome: Outcome) -> None:
        """Audio was transcribed."""
        where = (self._model, self._device(), endpoint)
        took = outcome.heard.inference_seconds
        self._audio.labels(*where).inc(seconds)
        self._waited.labels(*where).observe(outcome.queue_seconds)
        self._inference.labels(*where).observe(took)
        if seconds:
            self._factor.labels(*where).observe(took / seconds)
        for size in outcome.heard.batches:
            self._together.labels(*where).observe(size)
        for rule in outcome.heard.transcript.suppressed:
            self._suppressed.labels(*where, rule).inc()
        for reason in outcome.heard.transcript.heard_in_full:
            self._in_full.labels(*where, reason).inc()

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
