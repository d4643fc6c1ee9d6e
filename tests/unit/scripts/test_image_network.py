"""What a build is told of the caller's network, and what not."""

import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from scripts.image_build.network import MOUNTED_AUTHORITIES, Network, read_network


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def test_proxies_and_mirrors_are_passed_on_and_nothing_else(home: dict[str, str]) -> None:
    said = {
        "https_proxy": "http://proxy:3128",
        "PIP_INDEX_URL": "https://mirror/simple",
        "UV_DEFAULT_INDEX": "https://m",
    }
    private = {"PIP_FIND_LINKS": "/wheels", "AWS_SECRET_ACCESS_KEY": "no", "UV_CACHE_DIR": "/home/me"}
    network = read_network({**home, **said, **private})
    assert {name: network.variables[name] for name in said} == said
    assert not set(private) & set(network.variables)


def test_the_callers_certificates_are_mounted_where_pip_and_uv_look(home: dict[str, str], tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificate")
    network = read_network({**home, "SSL_CERT_FILE": str(bundle)})
    assert network.authorities == bundle
    assert f"SSL_CERT_FILE={MOUNTED_AUTHORITIES}\nPIP_CERT={MOUNTED_AUTHORITIES}\n" in network.shell()


def test_a_bundle_that_is_not_there_is_not_mounted(home: dict[str, str]) -> None:
    network = read_network({**home, "SSL_CERT_FILE": "/nowhere/ca.pem"})
    assert network.authorities is None
    assert "SSL_CERT_FILE" not in network.shell()


def test_pips_own_configuration_counts_and_the_environment_wins(home: dict[str, str], tmp_path: Path) -> None:
    configuration = tmp_path / ".config/pip/pip.conf"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("[global]\nindex-url = https://user:p%4055@mirror/simple\ntrusted-host =\n  one\n  two\n")
    assert read_network(home).variables["PIP_INDEX_URL"] == "https://user:p%4055@mirror/simple"
    assert read_network(home).variables["PIP_TRUSTED_HOST"] == "one two"
    assert read_network({**home, "PIP_INDEX_URL": "https://other"}).variables["PIP_INDEX_URL"] == "https://other"


def test_the_secret_is_a_file_for_sh_that_only_its_owner_reads(tmp_path: Path) -> None:
    awkward = 'https://me:it\'s $HOME & "more"@mirror/simple'
    secrets = Network({"PIP_INDEX_URL": awkward}, None).write_secrets(tmp_path / "secrets")
    assert stat.S_IMODE(secrets["network"].stat().st_mode) == 0o600
    script = f'set -a; . {shlex.quote(str(secrets["network"]))}; printf %s "$PIP_INDEX_URL"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == awkward
