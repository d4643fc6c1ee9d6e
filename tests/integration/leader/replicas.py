"""Two operators beside one API server, each behind a proxy of its own that knows what it asked for, and when."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.integration.operator_process import OperatorProcess, operator_process
from tests.support.api_faults import ApiFaults, Call
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.waiting import wait_until

WRITES = ("create", "update", "patch", "delete")
GIVEN_BACK = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "whisper-operator"},
    "spec": {"leaseDurationSeconds": 1},
}
"""As an earlier leader leaves it: what may be taken at once, by whoever is first."""


@dataclass(frozen=True)
class Replica:
    """One of them."""

    operator: OperatorProcess
    proxy: ApiFaults

    @property
    def leads(self) -> bool:
        return self.operator.metric("whisper_operator_leader") == 1

    def signal(self, number: signal.Signals) -> float:
        """Send it; when that was."""
        self.operator.process.send_signal(number)
        return time.monotonic()

    def writes(self, since: float = 0.0) -> list[Call]:
        """Its writes, but for those to the Lease."""
        return [call for call in self.proxy.calls(since) if call.verb in WRITES and call.resource != "leases"]

    def claims(self, since: float = 0.0) -> list[Call]:
        """Its writes to the Lease."""
        return [call for call in self.proxy.calls(since) if call.verb in WRITES and call.resource == "leases"]


@dataclass(frozen=True)
class Pair:
    """One leads, the other stands by."""

    leader: Replica
    standby: Replica


@contextmanager
def replica(api_server: Kubectl, namespace: str, log: Path, ends: tuple[int, ...]) -> Iterator[Replica]:
    """One that takes part in the election of its namespace, which is also the one that it serves."""
    settings = {"namespaces": namespace, "lease_namespace": namespace, "replica": log.stem}
    with (
        ApiFaults(api_server.kubeconfig) as proxy,
        operator_process(proxy.kubeconfig, log, ends, **settings) as operator,
    ):
        yield Replica(operator, proxy)


@contextmanager
def pair(api_server: Kubectl, namespace: str, folder: Path, ends: tuple[int, ...] = (0,)) -> Iterator[Pair]:
    """Both begin at the same moment."""
    folder.mkdir(exist_ok=True)
    api_server.within(namespace).apply([GIVEN_BACK])
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:

        def start(name: str) -> Replica:
            return stack.enter_context(replica(api_server, namespace, folder / f"{name}.log", ends))

        both = list(pool.map(start, ("one", "two")))
        (leader,) = wait_until(lambda: [one for one in both if one.leads], within=60, what="one leads")
        yield Pair(leader, next(one for one in both if one is not leader))


@contextmanager
def churn(place: Kubectl, name: str) -> Iterator[None]:
    """Something to write at every moment: the service's replicas change again and again."""
    over = threading.Event()

    def change() -> None:
        count = 0
        while not over.is_set():
            count += 1
            wanted = f'{{"spec": {{"routing": {{"replicas": {1 + count % 9}}}}}}}'
            with suppress(KubectlError):  # a conflict with a status that is written at this moment
                place.run("patch", "wsvc", name, "--type=merge", "-p", wanted)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        yield
    finally:
        over.set()
        changing.join()
