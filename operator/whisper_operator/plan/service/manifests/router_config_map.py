"""The router's configuration, and its hash, which rolls the router's pods when it changes."""

from functools import lru_cache
from hashlib import sha256

from whisper_operator.api.whisperservice import EffectiveRuntime
from whisper_operator.plan import names
from whisper_operator.plan.ownership import metadata
from whisper_operator.plan.service.effective import length, whole_bytes
from whisper_operator.plan.service.envoy import LoadBalancing, Probe, RouterSettings, Tier, render
from whisper_operator.plan.service.envoy.bootstrap import KEPT
from whisper_operator.plan.service.envoy.drain import key
from whisper_operator.plan.service.envoy.settings import MEBIBYTE
from whisper_operator.plan.service.runtimes import RUNTIMES
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.types import Manifest

APP = "whisper-router"
COMPONENT = "router"
FILE = "envoy.yaml"
# An upload is held twice while it is sent on; four at the limit must fit however large the limit is.
UPLOADS_IN_HEAP, SMALLEST_HEAP = 8, 768 * MEBIBYTE


def router_config_map(target: Target) -> Manifest:
    """The ConfigMap that the router's pods mount."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(target.service, names.router(target.name), APP, COMPONENT),
        "data": {FILE: _configuration(target)},
    }


def _configuration(target: Target) -> str:
    return render(settings(target))


def config_hash(target: Target) -> str:
    """Changes exactly when the configuration does."""
    return _digest(settings(target))


@lru_cache(maxsize=KEPT)
def _digest(router: RouterSettings) -> str:
    return sha256(render(router).encode()).hexdigest()[:16]


def settings(target: Target) -> RouterSettings:
    """What the router is to do, in the words of its configuration."""
    routing = target.effective.routing
    check = routing.health_check
    upload = whole_bytes(routing.max_upload_size)
    return RouterSettings(
        name=target.name,
        chain=tuple(_tier(target, runtime) for runtime in target.effective.runtimes),
        drain_key=key(target.service.metadata.uid),
        load_balancing=LoadBalancing(routing.load_balancing),
        probe=Probe(length(str(check.interval)), length(str(check.timeout)), check.retries or Probe().retries),
        request_timeout=length(routing.request_timeout),
        attempt_timeout=None if routing.attempt_timeout is None else length(routing.attempt_timeout),
        max_upload_bytes=upload,
        max_heap_bytes=max(SMALLEST_HEAP, UPLOADS_IN_HEAP * upload),
    )


def _tier(target: Target, runtime: EffectiveRuntime) -> Tier:
    host = f"{names.runtime(target.name, runtime.name)}.{target.domain}"
    return Tier(runtime.name, (host,), RUNTIMES[runtime.name].port)
