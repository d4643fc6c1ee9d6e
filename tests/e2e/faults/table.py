"""The fault table: what is broken, and what must hold. The tests, the reference page and the benchmark all read it."""

from tests.e2e.faults import traffic_faults as traffic
from tests.e2e.faults.fault import Fault, Through
from tests.e2e.faults.scene import ATTEMPT_SECONDS, REQUEST_SECONDS
from tests.e2e.faults.verdict import Ending, Expectation

NONE_LOST = Expectation(longest=REQUEST_SECONDS)
CUT = frozenset({Ending.CUT})

FAULTS = (
    Fault(
        "cpu-pod-killed",
        "one of two cpu pods gets SIGKILL, as when its memory runs out",
        traffic.cpu_pod_killed,
        NONE_LOST,
    ),
    Fault(
        "cpu-pod-busy",
        "others fill one cpu pod's queue, and it answers 503; then the callers come",
        traffic.cpu_pod_busy,
        NONE_LOST,
        comes_first=True,
    ),
    Fault(
        "cpu-pod-drained",
        "one cpu pod is evicted, as `kubectl drain` does",
        traffic.cpu_pod_drained,
        NONE_LOST,
    ),
    Fault(
        "cpu-pod-stopped",
        "one cpu pod gets SIGSTOP: it hangs, and its kernel still takes connections",
        traffic.cpu_pod_stopped,
        Expectation(5, frozenset({Ending.TIMED_OUT}), ATTEMPT_SECONDS + REQUEST_SECONDS),
        watched=15,
    ),
    Fault(
        "node-lost",
        "a node with a cpu pod and a router loses power; callers use the other router",
        traffic.node_lost,
        Expectation(5, longest=REQUEST_SECONDS),
        through=Through.STEADY_ROUTER,
        watched=15,
    ),
    Fault(
        "node-lost-behind-the-service",
        "the same, for callers of the Service at the node that stays: half of their connections lead to the lost "
        "router until the cluster calls its node NotReady",
        traffic.node_lost,
        Expectation(30, frozenset({Ending.CUT, Ending.HUNG}), REQUEST_SECONDS),
        through=Through.STEADY_NODE,
        watched=45,
        in_short=False,
        in_long=True,
    ),
    Fault(
        "cpu-rolled-out",
        "the runtime's spec changes: every cpu pod is replaced",
        traffic.cpu_rolled_out,
        NONE_LOST,
    ),
    Fault(
        "router-killed",
        "one of two routers gets SIGKILL",
        traffic.router_killed,
        Expectation(5, CUT, REQUEST_SECONDS),
    ),
    Fault(
        "router-drained",
        "one router is evicted",
        traffic.router_drained,
        NONE_LOST,
        in_short=False,
        in_long=True,
    ),
    Fault(
        "router-configured",
        "the routing's spec changes: every router is replaced",
        traffic.router_configured,
        NONE_LOST,
    ),
)
