"""A headless Service for each runtime: its name in DNS is how the router finds the pods."""

from whisper_operator.api.whisperservice import EffectiveRuntime
from whisper_operator.plan import names
from whisper_operator.plan.ownership import metadata, selector
from whisper_operator.plan.service.runtimes import RUNTIMES
from whisper_operator.plan.service.target import Target
from whisper_operator.plan.types import Manifest


def runtime_service(target: Target, runtime: EffectiveRuntime) -> Manifest:
    """The Service that has one address for each pod of the runtime."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(
            target.service, names.runtime(target.name, runtime.name), f"whisper-{runtime.name}", runtime.name
        ),
        "spec": {
            "clusterIP": "None",
            # The router probes every pod itself, and so knows earlier than DNS which are ready. A pod that is listed
            # only when ready would be found half a minute late where DNS answers are cached.
            "publishNotReadyAddresses": True,
            "selector": selector(target.service, runtime.name),
            "ports": [{"name": "http", "port": RUNTIMES[runtime.name].port, "targetPort": "http", "protocol": "TCP"}],
        },
    }
