"""The router's Envoy configuration, as a pure function of what the operator decided.

Nothing of the proxy is ours: what is here is data. Each module builds one part and says, beside each setting, what
goes wrong without it. The real Envoy judges the result in tests/contract/router.
"""

from whisper_operator.plan.service.envoy.bootstrap import bootstrap, render
from whisper_operator.plan.service.envoy.settings import LoadBalancing, Probe, RouterSettings, Tier

__all__ = ["LoadBalancing", "Probe", "RouterSettings", "Tier", "bootstrap", "render"]
