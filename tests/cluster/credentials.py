"""Who is who in the cluster: one certificate authority, a token for each component, a kubeconfig for each token.

Each component has the identity that kubeadm gives it, so that RBAC and the node restriction are as on a real cluster.
"""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.addresses import MAX_NODES, node_name
from tests.cluster.processes import run

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as the API server sees it."""

    file: str
    user: str
    group: str = ""


def identities() -> list[Identity]:
    """Everyone who may connect. Nodes that may join later are among them: the API server reads its tokens once."""
    nodes = [node_name(number) for number in range(1, MAX_NODES + 1)]
    return [
        Identity(ADMIN, ADMIN, "system:masters"),
        Identity("kube-controller-manager", "system:kube-controller-manager"),
        Identity("kube-scheduler", "system:kube-scheduler"),
        Identity("kube-proxy", "system:kube-proxy"),
        Identity("coredns", "system:coredns"),
        *(Identity(node, f"system:node:{node}", "system:nodes") for node in nodes),
    ]


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files, all in one folder that only root reads."""

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def signing_key(self) -> Path:
        """Signs the tokens of service accounts."""
        return self.folder / "service-accounts.key"

    @property
    def checking_key(self) -> Path:
        """Its public half."""
        return self.folder / "service-accounts.pub"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens.csv"

    def certificate(self, name: str) -> Path:
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def kubeconfig(self, who: str) -> Path:
        return self.folder / f"{who}.kubeconfig"


def create(folder: Path, server: str, names: Sequence[str]) -> Credentials:
    """Make them all; `names` are what the API server's certificate is valid for, e.g. `IP:127.0.0.1`."""
    folder.mkdir(mode=0o700)
    made = Credentials(folder)
    (folder / "openssl.cnf").write_text("[req]\ndistinguished_name = subject\n[subject]\n")
    _authority(made)
    _sign(made, "kube-apiserver", "/CN=kube-apiserver", f"subjectAltName={','.join(names)}")
    _sign(made, "kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "extendedKeyUsage=clientAuth")
    run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(made.signing_key)]
    )
    run(["openssl", "pkey", "-in", str(made.signing_key), "-pubout", "-out", str(made.checking_key)])
    tokens = {identity: secrets.token_urlsafe(24) for identity in identities()}
    rows = (f'{token},{who.user},{who.user},"{who.group}"\n' for who, token in tokens.items())
    made.tokens.write_text("".join(rows))
    for who, token in tokens.items():
        made.kubeconfig(who.file).write_text(kubeconfig(server, made.authority.read_bytes(), token))
    return made


def kubeconfig(server: str, authority: bytes, token: str) -> str:
    """A kubeconfig that holds all it needs; JSON, which is YAML too."""
    name = "whisper-local"
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(content, indent=1) + "\n"


def _authority(made: Credentials) -> None:
    # clients that verify strictly (Python 3.13 does) want each of these said
    _certify(
        made, "ca", "/CN=local-cluster", ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
    )


def _sign(made: Credentials, name: str, subject: str, extension: str) -> None:
    extensions = ["basicConstraints=critical,CA:FALSE", "authorityKeyIdentifier=keyid", extension]
    _certify(made, name, subject, extensions, signer=["-CA", str(made.authority), "-CAkey", str(made.key("ca"))])


def _certify(made: Credentials, name: str, subject: str, extensions: Sequence[str], signer: Sequence[str] = ()) -> None:
    """A key and its certificate; it signs itself where no signer is given."""
    command = ["openssl", "req", "-x509", "-config", str(made.folder / "openssl.cnf"), "-subj", subject]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", *signer]
    for extension in ("subjectKeyIdentifier=hash", *extensions):
        command += ["-addext", extension]
    run([*command, "-keyout", str(made.key(name)), "-out", str(made.certificate(name))])
