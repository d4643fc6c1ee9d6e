"""etcd, API server, controller manager and scheduler: the part that a cluster and a bare API for tests share.

`ControlPlane` is the bare API: no nodes, no fixed port, no trace; it runs beside any cluster.
"""

import json
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import credentials
from tests.cluster.addresses import Addresses
from tests.cluster.api import Api
from tests.cluster.binaries import CONTROL_PLANE, Binaries
from tests.cluster.credentials import Credentials
from tests.cluster.errors import MissingError
from tests.cluster.processes import Children, Launch, wait_until

START_WITHIN = 120
AUDIT_LOG = "audit.log"
"""Beside the logs: a line of JSON for each request of a service account that is not of the cluster's own."""
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}
VOLUMES_MOUNT = Path("/tmp/hostpath_pv")
"""Where the controller manager makes host-path volumes; the path is fixed in its source."""
POD_USER = "65532"
"""Volumes belong to this user, since the controller manager makes them for their owner alone (mode 0750)."""


@dataclass(frozen=True, slots=True)
class Plane:
    """What a control plane is made of.

    Attributes:
        directory: its state; `logs` below it are there already.
        address: where the API server listens.
        advertised: where pods find it.
        port: its port.
        services: the range of Service addresses, e.g. `198.19.0.0/20`.
        node_grace: seconds without a sign of life until a node is NotReady.
        volumes: where host-path volumes are kept; None: claims stay Pending unless a test makes the volume.
        api_server_options: for the API server, besides those that every cluster here has.
        controllers: of the controller manager, as its `--controllers` names them.
    """

    directory: Path
    address: str
    advertised: str
    port: int
    services: str
    node_grace: int
    volumes: Path | None
    api_server_options: tuple[str, ...] = ()
    controllers: tuple[str, ...] = ("*",)

    @property
    def server(self) -> str:
        return f"https://{self.address}:{self.port}"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def etcd(self) -> str:
        """A socket, not a port: nothing to collide with, and no pod can reach it."""
        return f"unix://{self.directory}/etcd.sock"


def start(plane: Plane, binaries: Binaries, launch: Launch) -> Credentials:
    """Start everything; it answers when this returns."""
    first_service = plane.services.split("/")[0].rsplit(".", 1)[0] + ".1"
    names = [f"IP:{plane.address}", f"IP:{first_service}", "DNS:kubernetes.default.svc", "DNS:kubernetes.default"]
    known = credentials.create(plane.directory / "credentials", plane.server, names)
    launch("etcd", _etcd(plane, binaries))
    runs = launch("kube-apiserver", _api_server(plane, binaries, known))
    api, log = Api(known.kubeconfig(credentials.ADMIN)), plane.logs / "kube-apiserver.log"
    wait_until(api.ready, within=START_WITHIN, what="the API server answers", log=log, runs=runs)
    launch("kube-controller-manager", _controller_manager(plane, binaries, known))
    launch("kube-scheduler", _scheduler(binaries, known))
    return known


def _etcd(plane: Plane, binaries: Binaries) -> list[str]:
    return [
        str(binaries.path("etcd")),
        f"--data-dir={plane.directory}/etcd",
        f"--listen-client-urls={plane.etcd}",
        "--advertise-client-urls=http://127.0.0.1:0",
        "--listen-peer-urls=http://127.0.0.1:0",
        "--unsafe-no-fsync",  # a cluster that loses power starts over; no need to wait for the disk
        "--log-level=warn",
    ]


def _api_server(plane: Plane, binaries: Binaries, known: Credentials) -> list[str]:
    return [
        str(binaries.path("kube-apiserver")),
        f"--etcd-servers={plane.etcd}",
        f"--bind-address={plane.address}",
        f"--advertise-address={plane.advertised}",
        f"--secure-port={plane.port}",
        f"--tls-cert-file={known.certificate('kube-apiserver')}",
        f"--tls-private-key-file={known.key('kube-apiserver')}",
        f"--client-ca-file={known.authority}",
        f"--token-auth-file={known.tokens}",
        f"--kubelet-client-certificate={known.certificate('kubelet-client')}",
        f"--kubelet-client-key={known.key('kubelet-client')}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={known.checking_key}",
        f"--service-account-signing-key-file={known.signing_key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-cluster-ip-range={plane.services}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
        *plane.api_server_options,
    ]


def _controller_manager(plane: Plane, binaries: Binaries, known: Credentials) -> list[str]:
    command = [
        str(binaries.path("kube-controller-manager")),
        f"--kubeconfig={known.kubeconfig('kube-controller-manager')}",
        f"--service-account-private-key-file={known.signing_key}",
        f"--root-ca-file={known.authority}",
        "--use-service-account-credentials",
        f"--controllers={','.join(plane.controllers)}",
        "--leader-elect=false",
        "--secure-port=0",
        f"--node-monitor-grace-period={plane.node_grace}s",
        "--node-monitor-period=1s",
        f"--enable-hostpath-provisioner={'true' if plane.volumes else 'false'}",
    ]
    return _making_volumes(plane.volumes, command) if plane.volumes else command


def _making_volumes(volumes: Path, command: list[str]) -> list[str]:
    """Let the controller manager find our folder where it makes volumes, and own what it makes there."""
    mount = f'mount --make-rprivate / && mount --bind "$0" {VOLUMES_MOUNT} && exec "$@"'
    may = "-all,+dac_override,+fowner"  # it also deletes what other users wrote into a volume
    as_pod_user = ["setpriv", f"--reuid={POD_USER}", f"--regid={POD_USER}", "--clear-groups"]
    as_pod_user += [f"--inh-caps={may}", f"--ambient-caps={may}"]
    return ["unshare", "--mount", "sh", "-c", mount, str(volumes), *as_pod_user, *command]


def _scheduler(binaries: Binaries, known: Credentials) -> list[str]:
    kubeconfig = known.kubeconfig("kube-scheduler")
    return [
        str(binaries.path("kube-scheduler")),
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
    ]


class ControlPlane:
    """A real API server on loopback for as long as the block lasts; the block gets the kubeconfig's path."""

    def __init__(self, binaries: Binaries, controllers: tuple[str, ...] = ("*",)) -> None:
        missing = binaries.missing(CONTROL_PLANE)
        if missing:
            raise MissingError(f"{', '.join(missing)} not built yet; run `python3 -m tests.cluster build`")
        self._binaries = binaries
        self._controllers = controllers
        self._directory = Path(tempfile.mkdtemp(prefix="whisper-control-plane-"))
        (self._directory / "logs").mkdir()
        self.programs = Children(self._directory / "logs")

    def __enter__(self) -> Path:
        nowhere = Addresses(0)  # there are no pods, and the API server advertises no loopback address
        plane = Plane(
            directory=self._directory,
            address="127.0.0.1",
            advertised=str(nowhere.gateway),
            port=_free_port(),
            services=str(nowhere.services),
            node_grace=50,
            volumes=None,
            api_server_options=self._options(),
            controllers=self._controllers,
        )
        try:
            return start(plane, self._binaries, self.programs).kubeconfig(credentials.ADMIN)
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _options(self) -> tuple[str, ...]:
        policy = self._directory / "audit-policy.json"
        policy.write_text(json.dumps(AUDIT_POLICY))
        return (
            f"--audit-policy-file={policy}",
            f"--audit-log-path={self._directory / 'logs' / AUDIT_LOG}",
            # off by default, but some distributions have it on: who blocks an owner's deletion must have the right to
            "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
        )

    def stop(self) -> None:
        self.programs.stop()
        shutil.rmtree(self._directory)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
