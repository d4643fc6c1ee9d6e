"""The configuration of one node's programs, as text. Pure."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.addresses import Addresses, node_name
from tests.cluster.credentials import Credentials
from tests.cluster.pause import NAME as PAUSE

KUBEADM_NODE_GRACE = 50


@dataclass(frozen=True, slots=True)
class Node:
    """Where one node lives.

    Attributes:
        number: counted from 1.
        addresses: the plan of its cluster.
        folder: its own: configuration, and `disk`, which a power cut does not clear.
        logs: where its programs log.
        cgroup: its group, e.g. `wc0/node1`.
        volumes: the folder of host-path volumes that all nodes share.
        node_grace: seconds without a sign of life until it is NotReady.
    """

    number: int
    addresses: Addresses
    folder: Path
    logs: Path
    cgroup: str
    volumes: Path
    node_grace: int

    @property
    def name(self) -> str:
        return node_name(self.number)

    @property
    def socket(self) -> Path:
        """containerd's; outside the node's own /run, so that images can be loaded from the host."""
        return self.folder / "containerd.sock"


def cni(node: Node) -> str:
    """Pods on a bridge of the node; their addresses are routed, so nothing is masqueraded."""
    plugin = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": "/run/cni",
            "ranges": [[{"subnet": str(node.addresses.pods(node.number))}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return json.dumps({"cniVersion": "1.0.0", "name": "pods", "plugins": [plugin]}, indent=1)


def containerd(node: Node, runc: Path, cni_plugins: Path) -> str:
    return f"""version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "{node.socket}"
[ttrpc]
  address = "{node.socket}.ttrpc"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "{PAUSE}"
[plugins.'io.containerd.cri.v1.runtime']
  # where CAP_SYS_RESOURCE is missing, a pod cannot be given a lower score than we have
  restrict_oom_score_adj = true
  # a profile would have to be installed in the host's kernel
  disable_apparmor = true
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = "{runc}"
        SystemdCgroup = false
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["{cni_plugins}"]
    conf_dir = "{node.folder}/cni"
[plugins.'io.containerd.internal.v1.opt']
  path = "/var/lib/containerd/opt"
[plugins.'io.containerd.nri.v1.nri']
  disable = true
"""


def kubelet(node: Node, known: Credentials) -> str:
    settings: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(known.authority)}},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "clusterDNS": [str(node.addresses.dns)],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{node.socket}",
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,  # images are loaded, not pulled: one that is cleaned up is gone
        "nodeLeaseDurationSeconds": lease_seconds(node.node_grace),
        "resolvConf": "",
    }
    return json.dumps(settings, indent=1)


def lease_seconds(node_grace: int) -> int:
    """A node renews its lease four times in this time, and is NotReady `node_grace` after its last renewal."""
    return 40 if node_grace >= KUBEADM_NODE_GRACE else max(4, node_grace * 2 // 3)


def kube_proxy(node: Node, known: Credentials) -> str:
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(known.kubeconfig("kube-proxy"))},
        "clusterCIDR": str(node.addresses.network),
        "conntrack": {"maxPerCore": 0, "min": 0},  # the table's size is the whole machine's: leave it
        "healthzBindAddress": "127.0.0.1:10256",
        "hostnameOverride": node.name,
        "metricsBindAddress": "127.0.0.1:10249",
        "mode": "nftables",
    }
    return json.dumps(settings, indent=1)


def init_script(node: Node, known: Credentials, search_path: str, pause_archive: Path) -> str:
    """Process 1 of the node: gives it folders of its own, and keeps its programs running, as systemd would."""
    address = node.addresses.node(node.number)
    return f"""#!/bin/bash
set -eu
export PATH={search_path}
hostname {node.name}
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind {node.folder}/disk/lib /var/lib
mount --bind {node.folder}/disk/log /var/log
mount --bind {node.volumes} /tmp/hostpath_pv
echo 1 >/proc/sys/net/ipv4/ip_forward
# without it, a pod's answer to a Service's client on the same node takes a short cut past kube-proxy's rules
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

keep() {{
  local log={node.logs}/{node.name}-$1.log
  shift
  while true; do "$@" >>"$log" 2>&1 || true; sleep 1; done
}}
keep containerd containerd --config {node.folder}/containerd.toml &
until ctr -a {node.socket} version >/dev/null 2>&1; do sleep 0.1; done
ctr -a {node.socket} -n k8s.io images import {pause_archive} >/dev/null
keep kube-proxy kube-proxy --config={node.folder}/kube-proxy.json &
keep kubelet kubelet --kubeconfig={known.kubeconfig(node.name)} --config={node.folder}/kubelet.json \\
  --hostname-override={node.name} --node-ip={address} &
wait
"""
