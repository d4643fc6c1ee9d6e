"""A hub with a certificate that only its own company trusts, over real TLS; and a proxy on the way."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from whisper_models.artifact import Manifest
from whisper_models.download import HubSource, download
from whisper_models.errors import TlsFailed
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

from tests.support.certificates import Authority, make_authority
from tests.support.downloads import BASE, ENTRY, QUICK
from tests.support.hub import Hub, serve


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(repositories: Path, authority: Authority) -> Iterator[Hub]:
    with serve(repositories, tls=authority.server()) as hub:
        yield hub


def _fetch(hub: Hub, store: UnifiedModelManager, authorities: Path | None = None) -> Manifest:
    source = HubSource(ENTRY.repo, ENTRY.revision, hub.url, authorities=authorities)
    return download(store, "tiny.en", source, Progress(), QUICK)


def test_an_unknown_authority_has_a_reason_of_its_own_and_naming_it_is_all_that_helps(
    secure: Hub, store: UnifiedModelManager, authority: Authority
) -> None:
    with pytest.raises(TlsFailed, match="SSL_CERT_FILE or --ca-bundle") as failure:
        _fetch(secure, store)
    assert secure.url in failure.value.message
    assert failure.value.retryable
    assert store.manifests() == []
    _fetch(secure, store, authority.certificate)
    assert store.damage(BASE) == []


def test_the_authority_may_be_named_as_everywhere(
    secure: Hub, store: UnifiedModelManager, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    _fetch(secure, store)
    assert store.damage(BASE) == []


def test_a_host_that_the_certificate_does_not_name_is_not_trusted(
    secure: Hub, store: UnifiedModelManager, authority: Authority
) -> None:
    source = HubSource(
        ENTRY.repo, ENTRY.revision, secure.url.replace("127.0.0.1", "localhost"), authorities=authority.certificate
    )
    with pytest.raises(TlsFailed, match="localhost"):
        download(store, "tiny.en", source, Progress(), QUICK)


def test_a_server_that_speaks_no_tls_is_not_trusted(hub: Hub, store: UnifiedModelManager) -> None:
    source = HubSource(ENTRY.repo, ENTRY.revision, hub.url.replace("http://", "https://"))
    with pytest.raises(TlsFailed):
        download(store, "tiny.en", source, Progress(), QUICK)


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "nonsense"])
def test_authorities_that_cannot_be_read_are_named(
    secure: Hub, store: UnifiedModelManager, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "authorities.pem"
    if content:
        bundle.write_text(content)
    with pytest.raises(TlsFailed, match=r"authorities\.pem"):
        _fetch(secure, store, bundle)


BEHIND = "http://models.example.invalid"
"""A name that only the proxy can do something with: the test hub answers for whatever host it is asked."""


def _command(root: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    plain = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    line = [sys.executable, "-m", "whisper_models.cli", "download", "--models", "tiny.en", "--endpoint", BEHIND]
    return subprocess.run(
        [*line, "--root", str(root)],
        env=plain | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_proxy_is_asked_for_everything(hub: Hub, store: UnifiedModelManager) -> None:
    done = _command(store.root, HTTP_PROXY=hub.url)
    assert done.returncode == 0, done.stderr
    assert store.damage(BASE) == []
    assert len({request["path"] for request in hub.requests}) > 5


def test_a_host_that_needs_no_proxy_is_asked_itself(hub: Hub, store: UnifiedModelManager) -> None:
    done = _command(store.root, HTTP_PROXY=hub.url, NO_PROXY=".example.invalid")
    assert done.returncode != 0
    assert "DnsFailed" in done.stderr
    assert hub.requests == []
