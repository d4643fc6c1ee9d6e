"""How an operator behaves while the API server does not: it answers its probe, and is in no hot loop."""

import time

from tests.integration.operator_process import OperatorProcess

REQUESTS = "whisper_operator_api_requests_total"
BURST, PER_SECOND = 60, 10
"""What one operator may ask during a fault: nine kinds begin anew, and then all of them together ask little more than
once a second; the services and the set that change meanwhile are worked on besides."""


def asks_little_and_lives(operator: OperatorProcess, seconds: float) -> float:
    """For so long; returns how many requests it might have made. Only the operator counts what was refused."""
    began, counted = time.monotonic(), operator.metric(REQUESTS)
    while time.monotonic() - began < seconds:
        assert operator.get("/livez") == (200, "ok\n")
        time.sleep(0.25)
    limit = BURST + PER_SECOND * (time.monotonic() - began)
    assert operator.metric(REQUESTS) - counted <= limit
    return limit
