"""What the operator must not do, it cannot: each request is made with its token, and the API server refuses it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.binaries import Binaries
from tests.e2e.resources import API, model_set, whisper_service
from tests.integration.conftest import own_namespace
from tests.integration.security.rights import Account, account, grants, rendered, rights
from tests.support.api_client import APPLY, KINDS, MERGE, MODELSET, WHISPERSERVICE, ApiClient, Kind
from tests.support.kubectl import Kubectl
from tests.support.waiting import wait_until

UNAUTHORIZED, FORBIDDEN = 401, 403
SCOPES = ("cluster", "namespace")
CLAIM_SPEC = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
THERE = [
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "there"}, "stringData": {"token": "x"}},
    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "there"}, "spec": CLAIM_SPEC},
    model_set("there", suspend=True),
    whisper_service("there"),
]
"""What lies in the namespace, so that a refusal is about rights and not about what is missing."""


@dataclass(frozen=True)
class Place:
    """A namespace that is served, one that may not be, and the operator's identity in it."""

    scope: str
    served: str
    elsewhere: str
    account: Account
    operator: ApiClient
    admin: ApiClient


@pytest.fixture(scope="module", params=SCOPES)
def place(
    request: pytest.FixtureRequest,
    helm: Path,
    binaries: Binaries,
    api_server: Kubectl,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    kubeconfig, scope = api_server.kubeconfig, request.param
    with ExitStack() as stack:
        served, elsewhere = (stack.enter_context(own_namespace(binaries, kubeconfig)) for _ in range(2))
        for namespace in (served, elsewhere):
            api_server.within(namespace).apply(THERE)
        chart = rendered(helm, served, watchNamespaces=[served] if scope == "namespace" else [])
        operators = stack.enter_context(account(api_server, chart, served, tmp_path_factory.mktemp("account")))
        operator = stack.enter_context(ApiClient.of(operators.kubeconfig, operators.token))
        admin = stack.enter_context(ApiClient.of(kubeconfig))
        yield Place(scope, served, elsewhere, operators, operator, admin)


@dataclass(frozen=True)
class Case:
    says: str
    method: str
    path: str
    """`{ns}` stands for a namespace that is served."""
    body: Any = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def core(rest: str) -> str:
    return f"/api/v1/namespaces/{{ns}}/{rest}"


def ours(rest: str) -> str:
    return f"/apis/{API}/namespaces/{{ns}}/{rest}"


def named(kind: str, group: str = "v1", **rest: Any) -> dict[str, Any]:
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "new"}, **rest}


RBAC = "rbac.authorization.k8s.io"
POD = named("Pod", spec={"containers": [{"name": "a", "image": "a"}]})
BINDING = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
HOOK = named("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", webhooks=[])
LEASE = named("Lease", "coordination.k8s.io/v1", spec={"holderIdentity": "me"})

CASES = [
    Case("read a Secret", "GET", core("secrets/there")),
    Case("list Secrets", "GET", core("secrets")),
    Case("list all Secrets", "GET", "/api/v1/secrets"),
    Case("watch Secrets", "GET", core("secrets?watch=true&timeoutSeconds=1")),
    Case("make a Secret", "POST", core("secrets"), named("Secret")),
    Case("patch a Secret", "PATCH", core("secrets/there"), {"stringData": {"token": "y"}}, MERGE),
    Case("delete a Secret", "DELETE", core("secrets/there")),
    Case("a token of a service account", "POST", core("serviceaccounts/default/token"), {"spec": {}}),
    Case("make a service account", "POST", core("serviceaccounts"), named("ServiceAccount")),
    Case("make a pod", "POST", core("pods"), POD),
    Case("delete a pod", "DELETE", core("pods/there")),
    Case("run a command in a pod", "POST", core("pods/there/exec?command=id&stdout=true")),
    Case("attach to a pod", "POST", core("pods/there/attach?stdout=true")),
    Case("forward a pod's port", "POST", core("pods/there/portforward?ports=80")),
    Case("read a pod's log", "GET", core("pods/there/log")),
    Case("reach a pod through the API server", "GET", core("pods/there/proxy/")),
    Case("reach a Service through the API server", "GET", core("services/there/proxy/")),
    Case("put a container into a pod", "PATCH", core("pods/there/ephemeralcontainers"), {"spec": {}}, MERGE),
    Case("evict a pod", "POST", core("pods/there/eviction"), named("Eviction", "policy/v1")),
    Case("delete all Deployments", "DELETE", "/apis/apps/v1/namespaces/{ns}/deployments"),
    Case("make a DaemonSet", "POST", "/apis/apps/v1/namespaces/{ns}/daemonsets", named("DaemonSet", "apps/v1")),
    Case("make a CronJob", "POST", "/apis/batch/v1/namespaces/{ns}/cronjobs", named("CronJob", "batch/v1")),
    Case("delete a claim", "DELETE", core("persistentvolumeclaims/there")),
    Case("read volumes", "GET", "/api/v1/persistentvolumes"),
    Case("make a volume", "POST", "/api/v1/persistentvolumes", named("PersistentVolume")),
    Case("patch a service's spec", "PATCH", ours("whisperservices/there"), {"spec": {"model": "base"}}, MERGE),
    Case("label a service", "PATCH", ours("whisperservices/there"), {"metadata": {"labels": {"a": "b"}}}, MERGE),
    Case("finalize a service", "PATCH", ours("whisperservices/there"), {"metadata": {"finalizers": ["a/b"]}}, MERGE),
    Case("apply a service", "PATCH", ours("whisperservices/there?fieldManager=a"), whisper_service("there"), APPLY),
    Case("make a service", "POST", ours("whisperservices"), whisper_service("new")),
    Case("delete a service", "DELETE", ours("whisperservices/there")),
    Case("patch a set's spec", "PATCH", ours("modelsets/there"), {"spec": {"suspend": False}}, MERGE),
    Case("make a set", "POST", ours("modelsets"), model_set("new")),
    Case("delete a set", "DELETE", ours("modelsets/there")),
    Case("read nodes", "GET", "/api/v1/nodes"),
    Case("patch a node", "PATCH", "/api/v1/nodes/there", {"spec": {"unschedulable": True}}, MERGE),
    Case("make a namespace", "POST", "/api/v1/namespaces", named("Namespace")),
    Case("relabel a namespace", "PATCH", "/api/v1/namespaces/{ns}", {"metadata": {"labels": {"a": "b"}}}, MERGE),
    Case("delete a namespace", "DELETE", "/api/v1/namespaces/{ns}"),
    Case("read roles", "GET", f"/apis/{RBAC}/v1/namespaces/{{ns}}/roles"),
    Case("make a role", "POST", f"/apis/{RBAC}/v1/namespaces/{{ns}}/roles", named("Role", f"{RBAC}/v1")),
    Case("make a cluster role", "POST", f"/apis/{RBAC}/v1/clusterroles", named("ClusterRole", f"{RBAC}/v1")),
    Case(
        "bind a cluster role",
        "POST",
        f"/apis/{RBAC}/v1/clusterrolebindings",
        named("ClusterRoleBinding", f"{RBAC}/v1", roleRef=BINDING),
    ),
    Case(
        "bind a role",
        "POST",
        f"/apis/{RBAC}/v1/namespaces/{{ns}}/rolebindings",
        named("RoleBinding", f"{RBAC}/v1", roleRef=BINDING),
    ),
    Case("be somebody else", "GET", core("pods"), headers={"Impersonate-User": "admin"}),
    Case("be an administrator", "GET", core("secrets"), headers={"Impersonate-Group": "system:masters"}),
    Case("list everybody's Leases", "GET", "/apis/coordination.k8s.io/v1/leases"),
    Case("take a Lease of the cluster's", "GET", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/there"),
    Case("write another's Lease", "PUT", "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/new", LEASE),
    Case("delete a Lease", "DELETE", "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/new"),
    Case("change a definition", "PATCH", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x.{API}", {}, MERGE),
    Case("read definitions", "GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
    Case("make a storage class", "POST", "/apis/storage.k8s.io/v1/storageclasses", named("StorageClass")),
    Case("make a webhook", "POST", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", HOOK),
    Case("ask for a certificate", "POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", named("C")),
    Case("write network policies", "POST", "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies", named("N")),
    Case("write endpoints", "POST", "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices", named("E")),
    Case("delete an Event", "DELETE", core("events/there")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_refused(case: Case, place: Place) -> None:
    path = case.path.replace("{ns}", place.served)
    headers = dict(case.headers)
    if "Impersonate-Group" in headers:
        headers["Impersonate-User"] = "somebody"
    answer = place.operator.ask(case.method, path, case.body, case.content_type, **headers)
    assert answer.status_code == FORBIDDEN, answer.text


def test_the_same_identity_is_let_in_where_it_has_a_right(place: Place) -> None:
    """The refusals above are about rights, not about a token that nobody knows."""
    assert place.operator.ask("GET", core("pods").replace("{ns}", place.served)).is_success
    assert place.operator.ask("GET", ours("modelsets").replace("{ns}", place.served)).is_success


@pytest.mark.parametrize("kind", [MODELSET, WHISPERSERVICE], ids=lambda kind: kind.kind)
def test_through_the_status_neither_spec_nor_labels_can_be_written(kind: Kind, place: Place) -> None:
    before = place.admin.find(kind, place.served, "there")
    assert before
    change = {
        "metadata": {"labels": {"a": "b"}, "finalizers": ["example.com/kept"]},
        "spec": {"suspend": False, "model": "base"},
        "status": {"observedGeneration": 7},
    }

    answer = place.operator.ask("PATCH", kind.path(place.served, "there", "status"), change, MERGE)

    after = place.admin.find(kind, place.served, "there")
    assert after
    assert answer.is_success, answer.text
    assert after["status"]["observedGeneration"] == 7
    assert after["spec"] == before["spec"]
    assert not {"labels", "finalizers"} & set(after["metadata"])


METHODS = {"get": "GET", "list": "GET", "watch": "GET", "create": "POST", "patch": "PATCH", "delete": "DELETE"}


def in_another_namespace(place: Place) -> Iterator[tuple[str, str]]:
    """Method and path of a request for each right that it has where it serves."""
    served = [one for one in place.account.objects if place.account.name == one["metadata"]["name"]]
    for group, resource, verb in sorted(grants(served)):
        head = f"/apis/{group}/{_version(group)}" if group else "/api/v1"
        plural, _, sub = resource.partition("/")
        name = "" if verb in ("list", "watch", "create") else "/there"
        tail = f"{plural}{name}" + (f"/{sub}" if sub else "") + ("?watch=true&timeoutSeconds=1" * (verb == "watch"))
        yield METHODS.get(verb, "PUT"), f"{head}/namespaces/{place.elsewhere}/{tail}"
        if verb in ("list", "watch"):
            yield METHODS[verb], f"{head}/{tail}"


def test_outside_the_namespaces_that_it_serves_it_may_do_nothing(place: Place) -> None:
    """Each right is tried in another namespace, and without naming one; served cluster-wide, it holds there, too."""
    tried = list(in_another_namespace(place))
    assert len(tried) > 40
    for method, path in tried:
        body: dict[str, Any] | None = None if method in ("GET", "DELETE") else {}
        answer = place.operator.ask(method, path, body, MERGE if method == "PATCH" else "application/json")
        assert (answer.status_code == FORBIDDEN) == (place.scope == "namespace"), (path, answer.text)


def _version(group: str) -> str:
    return "v1alpha1" if group == API.split("/")[0] else "v1"


def test_an_owner_whose_deletion_is_blocked_needs_the_right_to_its_finalizers(
    place: Place, api_server: Kubectl, tmp_path: Path
) -> None:
    """Some distributions ask for it, as this API server does: with the chart's right it goes, without it does not."""
    owner = place.admin.find(WHISPERSERVICE, place.served, "there")
    assert owner
    reference = {"apiVersion": API, "kind": "WhisperService", "controller": True, "blockOwnerDeletion": True}
    reference |= {name: owner["metadata"][name] for name in ("name", "uid")}
    child = named("ConfigMap")
    child["metadata"]["ownerReferences"] = [reference]
    path = f"/api/v1/namespaces/{place.served}/configmaps"
    role = next(
        one for one in place.account.objects if one["kind"] in ("Role", "ClusterRole") and len(one["rules"]) > 3
    )
    fewer = role | {"rules": [one for one in role["rules"] if not any("/finalizers" in r for r in one["resources"])]}

    assert place.operator.ask("POST", path, child).is_success
    place.admin.delete(KINDS["ConfigMap"], place.served, "new")
    api_server.apply([fewer])
    try:
        wait_until(
            lambda: "cannot set blockOwnerDeletion" in place.operator.ask("POST", f"{path}?dryRun=All", child).text,
            within=60,
            what="it is refused without the right",
        )
    finally:
        api_server.apply(rights([role]))


def test_its_token_is_good_for_nothing_once_the_chart_is_gone(
    helm: Path, api_server: Kubectl, namespace: str, tmp_path: Path
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    with ExitStack() as stack:
        with account(api_server, rendered(helm, namespace), namespace, tmp_path) as operators:
            client = stack.enter_context(ApiClient.of(operators.kubeconfig, operators.token))
            assert client.ask("GET", path).is_success
        refused = (UNAUTHORIZED, FORBIDDEN)
        wait_until(lambda: client.ask("GET", path).status_code in refused, within=90, what="the token is refused")
