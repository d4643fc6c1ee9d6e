"""Who counts as healthy: the router's own probes, and what it learns from the traffic itself."""

from datetime import timedelta

from whisper_operator.plan.service.envoy.extension import Config, duration
from whisper_operator.plan.service.envoy.settings import Probe

HALF_A_SECOND = timedelta(seconds=0.5)


def health_checks(probe: Probe) -> list[Config]:
    """The router's own probes of each pod."""
    return [
        {
            "timeout": duration(probe.timeout),
            "interval": duration(probe.interval),
            # Without it a cluster that nobody has called yet is probed once a minute: a sick idle pod stays in.
            "no_traffic_interval": duration(probe.interval),
            # A pod that failed once is looked at more often: it is out, or back, as soon as it can be. By default one
            # that stops answering is out after 1 + 1 + 0.5 + 1 seconds at most.
            "unhealthy_interval": duration(min(probe.interval, HALF_A_SECOND)),
            "unhealthy_threshold": probe.retries,
            # Readiness already waits for the canary; asking twice would only make recovery slower.
            "healthy_threshold": 1,
            # Readiness does not depend on load: a full queue answers 503 and keeps its place in the chain.
            "http_health_check": {"path": "/readyz"},
        }
    ]


def outlier_detection(attempt_timeout: timedelta | None) -> Config:
    """A pod whose connections fail leaves before the next probe says so.

    Only failures to connect count. A 503 means busy, and a busy pod must not be thrown out: the others would fall next.
    Envoy counts an attempt that ran out of time as one, too. So where attempts have a limit nobody is thrown out: a few
    recordings that are longer than it would throw out every healthy pod in turn, and short requests with them.
    """
    return {
        "interval": "1s",
        "base_ejection_time": "5s",
        # A tier of one or two pods must be able to lose them all: the next tier is there for that.
        "max_ejection_percent": 100,
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 2,
        "enforcing_consecutive_local_origin_failure": 100 if attempt_timeout is None else 0,
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
    }
