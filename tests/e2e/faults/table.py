"""The fault table: what is broken, and what must hold. The tests, the reference page and the benchmark all read it."""

from tests.e2e.faults import model_faults as models
from tests.e2e.faults import npu_faults as npu
from tests.e2e.faults import operator_faults as operator
from tests.e2e.faults import traffic_faults as traffic
from tests.e2e.faults.fault import Fault, Through
from tests.e2e.faults.scene import CHAIN, CPU, REQUEST_SECONDS
from tests.e2e.faults.verdict import Ending, Expectation

NONE_LOST = Expectation(longest=REQUEST_SECONDS)
SENT_AGAIN = Expectation(longest=REQUEST_SECONDS, met=True)
FEW = 10
"""Callers beside a rollout: fifty would take all of a small machine from the pods that start."""
TO_CPU = Expectation(5, longest=REQUEST_SECONDS, met=True, passed_to=CPU)
FELL_BACK = (
    f"status says so within {npu.STATUS_SECONDS:g} s (`activeRuntime`, `Degraded`, `lastFailover`); "
    "the npu takes over again"
)
ATTEMPT_SECONDS = 20
ONCE = "every step of the work is done, and done once"
CUT = frozenset({Ending.CUT})

FAULTS = (
    Fault(
        "cpu-pod-killed",
        "one of two cpu pods gets SIGKILL, as when its memory runs out",
        traffic.cpu_pod_killed,
        SENT_AGAIN,
    ),
    Fault(
        "cpu-pod-busy",
        "others fill one cpu pod's queue, and it answers 503; then the callers come",
        traffic.cpu_pod_busy,
        SENT_AGAIN,
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
        Expectation(5, longest=REQUEST_SECONDS, met=True),
        also="those in flight are sent again when the node ends the pod, after 20 to 30 s",
        watched=15,
    ),
    Fault(
        "cpu-pod-stopped-with-a-limit",
        f"the same, where the service limits an attempt to {ATTEMPT_SECONDS} s (`routing.timeouts.attempt`)",
        traffic.cpu_pod_stopped,
        Expectation(5, frozenset({Ending.TIMED_OUT}), 4 * ATTEMPT_SECONDS, met=True),
        callers=FEW,
        watched=15,
        spec={"routing": {"timeouts": {"attempt": f"{ATTEMPT_SECONDS}s"}}},
        in_short=False,
        in_long=True,
    ),
    Fault(
        "node-lost",
        "a node with a cpu pod and a router loses power; callers use the other router",
        traffic.node_lost,
        Expectation(5, longest=REQUEST_SECONDS, met=True),
        through=Through.STEADY_ROUTER,
        watched=15,
    ),
    Fault(
        "node-lost-behind-the-service",
        "the same, for callers of the Service at the node that stays: half of their connections lead to the lost "
        "router until the cluster calls its node NotReady",
        traffic.node_lost,
        Expectation(70, CUT, REQUEST_SECONDS),
        also="callers need TCP keep-alive and TCP_USER_TIMEOUT to notice: theirs end a silent connection after 20 s",
        through=Through.STEADY_NODE,
        watched=80,
        in_short=False,
        in_long=True,
    ),
    Fault(
        "cpu-rolled-out",
        "the runtime's spec changes: every cpu pod is replaced",
        traffic.cpu_rolled_out,
        NONE_LOST,
        in_short=False,
        in_long=True,
    ),
    Fault(
        "npu-killed",
        "the pod of the npu gets SIGKILL",
        npu.npu_killed,
        TO_CPU,
        setting=CHAIN,
        also=FELL_BACK,
        callers=FEW,
    ),
    Fault(
        "npu-busy",
        "others fill the npu's queue, and it answers 503; then the callers come",
        npu.npu_busy,
        TO_CPU,
        setting=CHAIN,
        also="status tells of no fault: the npu stays the active runtime",
        callers=FEW,
        comes_first=True,
    ),
    Fault(
        "npu-stopped",
        "the pod of the npu gets SIGSTOP: it hangs, and its kernel still takes connections",
        npu.npu_stopped,
        TO_CPU,
        setting=CHAIN,
        also=FELL_BACK,
        callers=FEW,
    ),
    Fault(
        "npu-device-stopped",
        "the process of the npu's pod that has the device gets SIGSTOP, as in a driver that hangs",
        npu.npu_device_stopped,
        TO_CPU,
        setting=CHAIN,
        also=f"the runtime notices after {npu.HUNG_SECONDS} s and ends itself, and then status says so; the npu takes "
        "over again",
        callers=FEW,
        in_short=False,
        in_long=True,
    ),
    Fault(
        "npu-node-lost",
        "the node with the npu and a router loses power; callers use the other router",
        npu.npu_node_lost,
        TO_CPU,
        setting=CHAIN,
        also=FELL_BACK,
        through=Through.STEADY_ROUTER,
        callers=FEW,
    ),
    Fault(
        "npu-node-unlabelled",
        "no node says any more that it has an NPU, and the npu's pod is evicted",
        npu.npu_node_unlabelled,
        Expectation(longest=REQUEST_SECONDS, passed_to=CPU),
        setting=CHAIN,
        also="status names NoMatchingNode; the npu takes over again when a node says so again",
        callers=FEW,
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
    Fault(
        "leader-killed",
        "the operator's leader gets SIGKILL, half-way through a download and a rollout",
        operator.leader_killed,
        NONE_LOST,
        also=f"another leads within {operator.CRASH_SECONDS:g} s; {ONCE}",
        callers=FEW,
    ),
    Fault(
        "leader-stopped",
        "the leader gets SIGSTOP in the same moment, and is woken when another leads",
        operator.leader_stopped,
        NONE_LOST,
        also=f"another leads within {operator.CRASH_SECONDS:g} s; {ONCE}",
        callers=FEW,
        in_short=False,
        in_long=True,
    ),
    Fault(
        "leader-cut-off",
        "the leader's packets to the API server, and those back, are dropped in the same moment",
        operator.leader_cut_off,
        NONE_LOST,
        also=f"another leads within {operator.CRASH_SECONDS:g} s; {ONCE}",
        callers=FEW,
        in_short=False,
        in_long=True,
    ),
    Fault(
        "leader-drained",
        "the leader is evicted in the same moment",
        operator.leader_drained,
        NONE_LOST,
        also=f"another leads within {operator.GRACEFUL_SECONDS:g} s; {ONCE}",
        callers=FEW,
        in_short=False,
        in_long=True,
    ),
    Fault(
        "api-server-gone",
        "the API server takes connections and answers nothing, for a minute, half-way through a download and a rollout",
        operator.api_server_gone,
        NONE_LOST,
        also=ONCE,
        callers=FEW,
        in_short=False,
        in_long=True,
    ),
    Fault(
        "job-killed",
        "the pod that downloads gets SIGKILL at random moments: twice, in the long form twelve times",
        models.job_killed,
        also="the set completes, no more than 4 MiB are fetched again each time, and a reader of the volume never "
        "sees a variant that is not whole",
        in_long=True,
    ),
    Fault(
        "disk-full",
        "the volume has no room for the model, and later it has",
        models.disk_full,
        also="status names DiskFull; the set completes when there is room",
    ),
    Fault(
        "claim-read-only",
        "the volume is mounted read-only, and later it is not",
        models.claim_read_only,
        also="status names ReadOnlyVolume; the set completes when it can write",
        in_short=False,
        in_long=True,
    ),
    Fault(
        "hub-gone",
        "the hub is gone for ten minutes, in the middle of a download",
        models.hub_gone,
        also="status names HubUnreachable; the set completes when the hub is back",
        in_short=False,
        in_long=True,
    ),
)
