"""HTTPS through a company's proxy: a real tunnel, real TLS with a private authority inside it, and a password."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from whisper_models.store import UnifiedModelManager

from tests.support.certificates import Authority, make_authority
from tests.support.connect_proxy import ConnectProxy, connect_proxy
from tests.support.downloads import BASE, sent
from tests.support.hub import Hub, serve

NAME = "models.example.invalid"
"""Only the proxy knows where it leads: whoever goes around the proxy gets nowhere."""
PASSWORD = "s3cret+of/the-proxy"
LOGIN = f"builder:{PASSWORD}"
IN_ADDRESS = "builder:s3cret%2Bof%2Fthe-proxy"
SECRETS = (PASSWORD, "s3cret%2Bof", base64.b64encode(LOGIN.encode()).decode())
"""Every form in which it goes around."""
TALKATIVE = (
    "import logging, sys; logging.basicConfig(level=logging.DEBUG); "
    "from whisper_models.cli import main; sys.exit(main(sys.argv[1:]))"
)
"""The real command, with every library's log on."""


class Company(NamedTuple):
    """What stands between us and the models."""

    hub: Hub
    proxy: ConnectProxy
    authority: Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), NAME)


@pytest.fixture
def company(repositories: Path, authority: Authority) -> Iterator[Company]:
    with serve(repositories, tls=authority.server()) as hub:
        host, port = hub.server_address[:2]
        with connect_proxy({NAME: (str(host), port)}, LOGIN) as proxy:
            yield Company(hub, proxy, authority)


def _download(company: Company, root: Path, login: str, host: str = NAME) -> tuple[int, str]:
    """The exit code, and everything that was said."""
    words = ["download", "--models", "tiny.en", "--endpoint", f"https://{host}", "--root", str(root)]
    log = root.parent / "termination-log"
    words += ["--ca-bundle", str(company.authority.certificate), "--termination-log", str(log)]
    plain = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment = {"HTTPS_PROXY": f"http://{login}@{company.proxy.address}", "HF_DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TALKATIVE, *words],
        env=plain | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout + log.read_text()


def _secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def test_everything_goes_through_the_tunnel_and_the_password_stays_between_us_and_the_proxy(
    company: Company, store: UnifiedModelManager
) -> None:
    company.hub.faults.replace([{"kind": "cut", "path": "*model.safetensors", "after": 30_000_000, "times": 1}])
    code, said = _download(company, store.root, IN_ADDRESS)
    assert code == 0, said
    assert store.damage(BASE) == []
    assert sent(company.hub)["model.safetensors"] < 1.5 * (store.path(BASE) / "model.safetensors").stat().st_size
    assert set(company.proxy.asked) == {("CONNECT", f"{NAME}:443", 200)}
    assert b"whisper" not in company.proxy.carried  # the proxy saw no more than TLS
    assert "DEBUG:" in said  # else nothing would have been told, whatever was known
    assert _secrets_in(said) == []
    kept = (path.read_text() for path in store.root.rglob("*.json") if path.is_file())
    assert [found for text in kept for found in _secrets_in(text)] == []


@pytest.mark.parametrize("login", ["builder:wrong", "somebody"], ids=["another password", "no password"])
def test_a_proxy_that_refuses_the_password_is_named_without_it(
    company: Company, store: UnifiedModelManager, login: str
) -> None:
    code, said = _download(company, store.root, login)
    assert code != 0
    assert f"AuthFailed: the proxy before https://{NAME} wants another user name and password" in said
    assert "builder:wrong" not in said
    assert [status for _, _, status in company.proxy.asked] == [407]
    assert company.hub.requests == []


def test_a_proxy_that_knows_no_way_is_told_from_the_hub(company: Company, store: UnifiedModelManager) -> None:
    code, said = _download(company, store.root, IN_ADDRESS, host="elsewhere.example.invalid")
    assert code != 0
    assert "HubUnreachable: https://elsewhere.example.invalid gives no answer" in said
    assert "the proxy before it answers 502" in said
    assert _secrets_in(said) == []
