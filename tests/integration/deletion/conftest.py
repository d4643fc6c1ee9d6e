"""What the deletion tests share."""

from collections.abc import Iterator

import pytest

from tests.support.api_client import ApiClient
from tests.support.kubectl import Kubectl


@pytest.fixture(scope="session")
def api(api_server: Kubectl) -> Iterator[ApiClient]:
    """The API server, without kubectl in between."""
    with ApiClient.of(api_server.kubeconfig) as client:
        yield client
