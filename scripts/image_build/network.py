"""What a build must know of the caller's network: proxies, package mirrors, certificate authorities.

It reaches the build as two secrets, a shell file and a certificate bundle, so that none of it stays in a layer.
Paths of the caller's disk mean nothing inside a build and are not passed on.
"""

import configparser
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
PASSED_ON = (
    *PROXIES,
    *(name.lower() for name in PROXIES),
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_RETRIES",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_INSECURE_HOST",
    "UV_HTTP_TIMEOUT",
)
AUTHORITIES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
AUTHORITIES_READ_BY = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
MOUNTED_AUTHORITIES = "/run/secrets/authorities"
PIP_OPTIONS = {
    "index-url": "PIP_INDEX_URL",
    "extra-index-url": "PIP_EXTRA_INDEX_URL",
    "trusted-host": "PIP_TRUSTED_HOST",
}


@dataclass(frozen=True, slots=True)
class Network:
    """Variables for the build, and the caller's certificate bundle where there is one of its own."""

    variables: Mapping[str, str]
    authorities: Path | None

    def shell(self) -> str:
        """The variables as a file that `sh` can source."""
        mounted = dict.fromkeys(AUTHORITIES_READ_BY, MOUNTED_AUTHORITIES) if self.authorities else {}
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in {**self.variables, **mounted}.items())

    def write_secrets(self, folder: Path) -> dict[str, Path]:
        """The secrets by id, as files that only the caller can read (an index's address may hold a password)."""
        folder.mkdir(parents=True, exist_ok=True)
        network = folder / "network"
        network.touch(mode=0o600)
        network.write_text(self.shell(), encoding="utf-8")
        secrets = {"network": network}
        if self.authorities:
            secrets["authorities"] = self.authorities
        return secrets


def read_network(environment: Mapping[str, str]) -> Network:
    """The caller's network as its environment and pip's configuration files describe it; the environment wins."""
    variables = _pip_configuration(environment)
    variables.update({name: environment[name] for name in PASSED_ON if environment.get(name)})
    bundles = (Path(environment[name]) for name in AUTHORITIES if environment.get(name))
    return Network(variables, next((bundle for bundle in bundles if bundle.is_file()), None))


def _pip_configuration(environment: Mapping[str, str]) -> dict[str, str]:
    home = Path(environment.get("HOME", "/root"))
    places = [Path("/etc/pip.conf"), home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    if configured := environment.get("PIP_CONFIG_FILE"):
        places.append(Path(configured))
    parser = configparser.RawConfigParser()
    parser.read(places, encoding="utf-8")
    if not parser.has_section("global"):
        return {}
    return {
        name: " ".join(parser["global"][option].split())
        for option, name in PIP_OPTIONS.items()
        if option in parser["global"]
    }
