"""The real Envoy accepts what the operator writes, for every kind of spec."""

from pathlib import Path
from typing import Any

import pytest
from whisper_operator.api.whisperservice import WhisperServiceSpec
from whisper_operator.plan.service.envoy import RouterSettings, Tier, render

from tests.contract.router.proxy import validate
from tests.unit.service.builders import configuration

SPECS: dict[str, dict[str, Any]] = {
    "the least spec": {},
    "round robin": {"routing": {"loadBalancing": "RoundRobin"}},
    "random": {"routing": {"loadBalancing": "Random"}},
    "slow probes": {"routing": {"healthCheck": {"interval": "30s", "timeout": "10s", "retries": 3}}},
    "the shortest times": {
        "routing": {
            "healthCheck": {"interval": "100ms", "timeout": "100ms", "retries": 1},
            "timeouts": {"request": "1s", "attempt": "1s"},
        }
    },
    "the longest times": {"routing": {"timeouts": {"request": "24h"}, "healthCheck": {"interval": "1h"}}},
    "tiny uploads": {"routing": {"maxUploadSize": "1k"}},
    "huge uploads": {"routing": {"maxUploadSize": "2Gi"}},
    "a number for a size": {"routing": {"maxUploadSize": 1000000}},
}


@pytest.mark.parametrize("says", SPECS)
def test_envoy_accepts_the_configuration_of(says: str, tmp_path: Path) -> None:
    spec = {"modelSetRef": {"name": "models"}, "model": "tiny.en", "runtimes": {"cpu": {}}} | SPECS[says]
    accepted(configuration(WhisperServiceSpec.model_validate(spec)), tmp_path)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_envoy_accepts_a_chain_of(length: int, tmp_path: Path) -> None:
    chain = tuple(Tier(name, (f"demo-{name}.ns.svc",), 5001) for name in ("npu", "gpu", "mac", "cpu")[:length])
    accepted(render(RouterSettings(name="demo", chain=chain, drain_key="k")), tmp_path)


def accepted(text: str, folder: Path) -> None:
    config = folder / "envoy.yaml"
    config.write_text(text)
    done = validate(config)
    assert done.returncode == 0, done.stderr
    complaints = [line for line in done.stderr.splitlines() if '"level":"warning"' in line or "deprecated" in line]
    assert not complaints
