"""The objects that every cluster has from the start: DNS and a default storage class. Pure."""

from tests.cluster.addresses import Addresses
from tests.cluster.api import Object
from tests.cluster.dns import PORT

_RBAC = "rbac.authorization.k8s.io"
_DNS_NAME = "system:coredns"


def objects(addresses: Addresses) -> list[tuple[str, Object]]:
    """The path in the API, and the object."""
    kube_system = "/namespaces/kube-system"
    return [
        (f"/apis/{_RBAC}/v1/clusterroles/{_DNS_NAME}", _dns_role()),
        (f"/apis/{_RBAC}/v1/clusterrolebindings/{_DNS_NAME}", _dns_binding()),
        (f"/api/v1{kube_system}/services/kube-dns", _dns_service(addresses)),
        (f"/apis/discovery.k8s.io/v1{kube_system}/endpointslices/kube-dns", _dns_endpoints(addresses)),
        ("/apis/storage.k8s.io/v1/storageclasses/standard", _storage_class()),
    ]


def _dns_role() -> Object:
    reads = ["list", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": reads},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": reads},
    ]
    return {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": _DNS_NAME}, "rules": rules}


def _dns_binding() -> Object:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _DNS_NAME},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": _DNS_NAME},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": _DNS_NAME}],
    }


def _dns_service(addresses: Addresses) -> Object:
    ports = [
        {"name": "dns", "port": 53, "targetPort": PORT, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "targetPort": PORT, "protocol": "TCP"},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {"clusterIP": str(addresses.dns), "ports": ports},
    }


def _dns_endpoints(addresses: Addresses) -> Object:
    labels = {"kubernetes.io/service-name": "kube-dns", "endpointslice.kubernetes.io/managed-by": "local-cluster"}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": labels},
        "addressType": "IPv4",
        "ports": [
            {"name": "dns", "port": PORT, "protocol": "UDP"},
            {"name": "dns-tcp", "port": PORT, "protocol": "TCP"},
        ],
        "endpoints": [{"addresses": [str(addresses.gateway)], "conditions": {"ready": True}}],
    }


def _storage_class() -> Object:
    """Volumes are folders that all nodes see, so ReadWriteMany works."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "kubernetes.io/host-path",
    }
