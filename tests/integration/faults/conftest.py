"""An operator whose way to the API server leads through the failing proxy; the tests themselves go there directly."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.faults.patience import asks_little_and_lives
from tests.integration.faults.scene import Scene
from tests.integration.operator_process import OperatorProcess, operator_process
from tests.support.api_faults import ApiFaults
from tests.support.kubectl import Kubectl


@dataclass(frozen=True)
class Hurt:
    """An operator, the proxy that it is behind, and what goes on meanwhile."""

    operator: OperatorProcess
    proxy: ApiFaults
    scene: Scene

    def asks_little_and_lives(self, seconds: float) -> None:
        """For so long, by the operator's count and by the proxy's."""
        began = time.monotonic()
        limit = asks_little_and_lives(self.operator, seconds)
        assert len(self.proxy.calls(began)) <= limit, self.proxy.count(began)


@pytest.fixture(scope="module")
def hurt(api_server: Kubectl, shared_namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hurt]:
    """The models are ready, and one service is made."""
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    scene = Scene(api_server.within(shared_namespace))
    with (
        ApiFaults(api_server.kubeconfig) as proxy,
        operator_process(proxy.kubeconfig, log, namespaces=shared_namespace) as operator,
    ):
        scene.begin()
        yield Hurt(operator, proxy, scene)
