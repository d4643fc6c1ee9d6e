"""A private certificate authority and a server that it vouches for, by openssl."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

DAYS = "2"


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority and the certificate that it gave to 127.0.0.1, and to one name if it was asked to."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """What whoever trusts it must know."""
        return self.folder / "authority.crt"

    def server(self) -> ssl.SSLContext:
        """What a server there presents itself with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        return context


def make_authority(folder: Path, name: str | None = None) -> Authority:
    """Make both, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openssl.cnf").write_text("[req]\ndistinguished_name = subject\n[subject]\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", DAYS]
    base = ["openssl", "req", "-x509", "-config", str(folder / "openssl.cnf"), *key]
    _run([*base, "-subj", "/CN=authority", "-addext", "basicConstraints=critical,CA:TRUE"], folder, "authority")
    signed = ["-CA", str(folder / "authority.crt"), "-CAkey", str(folder / "authority.key")]
    called = "IP:127.0.0.1" + (f",DNS:{name}" if name else "")
    names = ["-addext", f"subjectAltName={called}", "-addext", "basicConstraints=CA:FALSE"]
    _run([*base, "-subj", "/CN=server", *names, *signed], folder, "server")
    return Authority(folder)


def _run(command: list[str], folder: Path, name: str) -> None:
    out = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")]
    subprocess.run([*command, *out], check=True, capture_output=True, timeout=60)
