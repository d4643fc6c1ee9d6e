"""What the operator counts about itself, in Prometheus' words."""

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Counter("whisper_operator_reconciles_total", "Reconciliations, by kind and outcome", ["kind", "outcome"])
RECONCILE_SECONDS = Histogram(
    "whisper_operator_reconcile_seconds",
    "Time of one reconciliation",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
QUEUE_DEPTH = Gauge("whisper_operator_queue_depth", "Keys that wait for a worker")
QUEUE_DELAYED = Gauge("whisper_operator_queue_delayed", "Keys that wait for their time")
WRITES = Counter("whisper_operator_writes_total", "Writes to the cluster, by kind and verb", ["kind", "verb"])
API_REQUESTS = Counter(
    "whisper_operator_api_requests_total", "Requests to the API server, by method and status", ["method", "status"]
)
WATCH_RESTARTS = Counter("whisper_operator_watch_restarts_total", "Times that watching had to begin anew")
OBJECTS = Gauge("whisper_operator_objects", "Objects known to the operator, by kind", ["kind"])
MODELSET_VARIANTS = Gauge(
    "whisper_operator_modelset_variants", "Variants of a ModelSet, by state", ["namespace", "modelset", "state"]
)
MODELSET_BYTES = Gauge(
    "whisper_operator_modelset_bytes", "Bytes of all variants of a ModelSet on its claim", ["namespace", "modelset"]
)
LEADER = Gauge("whisper_operator_leader", "1 in the replica that leads, 0 in those that stand by")
LEASE_TRANSITIONS = Gauge(
    "whisper_operator_lease_transitions",
    "Times that the Lease passed to another holder, as the Lease itself counts them",
)
