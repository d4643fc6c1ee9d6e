"""The fault table as a page of the docs. Pure."""

from tests.e2e.faults.fault import Fault
from tests.e2e.faults.table import FAULTS
from tests.e2e.faults.verdict import PROMPT

SOURCE = "tests/e2e/faults/table.py"

ABOUT = f"""\
# Faults

What is broken on purpose, on a real cluster of two nodes, and what must hold. The service has two routers and two cpu
pods. In the rows of the npu it has one pod of each: no node there has an NPU, so the npu serves from OpenVINO's CPU
device. While something breaks, callers keep requests under way: each sends a clip and must get its words back, right.
Beside them, callers with light requests (`GET /v1/models`, which goes the same way and waits in no queue) begin a new
one every half second. *Unharmed* means that those are answered within {PROMPT:g} s. A request that ends in anything but
the right words is lost; so is one that is told to come back later.

`make test` runs what is marked *short*. `make test-long` runs the rest, and all once more with kubeadm's timings (DNS
answers kept for 30 s, a lost node NotReady after 50 s). `make bench-failover` [measures](../benchmarks/failover.md).
All of it needs the built-in cluster, whose nodes and processes can be stopped: with another `CLUSTER` the rows are
skipped.
"""


def page(header: str) -> str:
    """The page, generated."""
    lines = [
        header + ABOUT,
        "| fault | what happens | callers | what must hold | in |",
        "|---|---|---|---|---|",
        *map(_row, FAULTS),
    ]
    return "\n".join(lines) + "\n"


def _row(fault: Fault) -> str:
    callers = f"{fault.callers}, of {fault.through.value}" if fault.expects else "none"
    holds = "; ".join(filter(None, [fault.expects.text() if fault.expects else "", fault.also]))
    forms = " and ".join(form for form, it_is in (("short", fault.in_short), ("long", fault.in_long)) if it_is)
    return f"| `{fault.name}` | {fault.happens} | {callers} | {holds} | {forms} |"
