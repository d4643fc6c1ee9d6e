"""A reverse proxy in front of a real API server that fails as networks, load balancers and API servers do.

Whoever is to be hurt gets `ApiFaults.kubeconfig`; everyone else goes to the API server directly. What happens to new
requests is a fault (`faults.py`), on for as long as a block lasts; what happens to connections and to streams that are
open already is a method of the proxy. It counts what it was asked.

    with ApiFaults(kubeconfig) as proxy, operator_process(proxy.kubeconfig, log):
        with proxy.fault(Answer(429, retry_after=2)):
            ...
        assert proxy.count() < 50
"""

from tests.support.api_faults.calls import Call
from tests.support.api_faults.faults import (
    Answer,
    Delay,
    Ends,
    ErrorEvent,
    Fault,
    Lost,
    Silence,
    SilentStream,
    Torn,
    Truncated,
    every,
    watches,
    writes,
)
from tests.support.api_faults.proxy import ApiFaults

__all__ = [
    "Answer",
    "ApiFaults",
    "Call",
    "Delay",
    "Ends",
    "ErrorEvent",
    "Fault",
    "Lost",
    "Silence",
    "SilentStream",
    "Torn",
    "Truncated",
    "every",
    "watches",
    "writes",
]
