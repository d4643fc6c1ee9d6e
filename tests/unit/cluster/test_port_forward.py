"""A forwarded port, by a program that says what kubectl says."""

from pathlib import Path

import pytest

from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

SAYS = """#!/bin/sh
echo 'Forwarding from 127.0.0.1:40123 -> 80'
yes 'Handling connection for 40123' | head -n 5000
touch "$0.handled"
exec sleep 300
"""
REFUSES = """#!/bin/sh
echo 'error: services "whisper" not found' >&2
exit 1
"""


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    return Kubectl(str(tmp_path / "kubectl"), tmp_path / "kubeconfig", "demo")


def program(kubectl: Kubectl, text: str) -> Path:
    path = Path(kubectl.binary)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_it_goes_on_after_thousands_of_connections(kubectl: Kubectl) -> None:
    handled = program(kubectl, SAYS).with_name("kubectl.handled")
    with kubectl.forwarded("svc/whisper", 80) as url:
        assert url == "http://127.0.0.1:40123"
        wait_until(handled.exists, within=60, what="it has told of every connection")


def test_a_refusal_is_told_at_once(kubectl: Kubectl) -> None:
    program(kubectl, REFUSES)
    with (
        pytest.raises(AssertionError, match='services "whisper" not found'),
        kubectl.forwarded("svc/whisper", 80),
    ):
        pass
