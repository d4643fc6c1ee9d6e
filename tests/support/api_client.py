"""Plain requests to an API server, as anyone whom a kubeconfig names: for tests that make hundreds, or are refused."""

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from whisper_operator.cluster.kinds import CLAIM, CUSTOM, JOB, MODELSET, OWNED, POD, WHISPERSERVICE, Kind

Object = dict[str, Any]
NAMESPACE = Kind("v1", "Namespace", "namespaces", namespaced=False)
SECRET = Kind("v1", "Secret", "secrets")
CORE_EVENT = Kind("v1", "Event", "events")
REPLICA_SET = Kind("apps/v1", "ReplicaSet", "replicasets")
ENDPOINT_SLICE = Kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices")
KINDS = {kind.kind: kind for kind in (*CUSTOM, *OWNED, NAMESPACE, SECRET, CORE_EVENT, REPLICA_SET, ENDPOINT_SLICE)}
__all__ = ["CLAIM", "JOB", "KINDS", "MODELSET", "NAMESPACE", "POD", "REPLICA_SET", "WHISPERSERVICE"]
__all__ += ["ApiClient", "Kind", "Object"]

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
TIMEOUT = httpx.Timeout(60)


@dataclass(frozen=True)
class ApiClient:
    """Requests with one identity; safe to use from several threads."""

    http: httpx.Client

    @classmethod
    @contextmanager
    def of(cls, kubeconfig: Path, token: str | None = None) -> "Iterator[ApiClient]":
        """As the kubeconfig's user, or as whoever holds the token."""
        content = json.loads(kubeconfig.read_text())
        cluster = content["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        bearer = token or content["users"][0]["user"]["token"]
        with httpx.Client(
            base_url=cluster["server"],
            headers={"Authorization": f"Bearer {bearer}"},
            verify=ssl.create_default_context(cadata=authority),
            timeout=TIMEOUT,
            trust_env=False,
        ) as http:
            yield cls(http)

    def ask(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **headers: str
    ) -> httpx.Response:
        """Whatever the answer is."""
        given = {"Content-Type": content_type, **headers} if body is not None else headers
        content = None if body is None else json.dumps(body)
        return self.http.request(method, path, content=content, headers=given)

    def apply(self, manifest: Object, namespace: str | None) -> Object:
        """Server-side apply as a user's tool does it."""
        path = KINDS[manifest["kind"]].path(namespace, manifest["metadata"]["name"])
        return _good(self.ask("PATCH", f"{path}?fieldManager=user&force=true", manifest, APPLY))

    def patch(self, kind: Kind, namespace: str, name: str, body: Object, sub: str | None = None) -> Object:
        """A merge patch."""
        return _good(self._patch(kind, namespace, name, body, sub))

    def patch_if_there(self, kind: Kind, namespace: str, name: str, body: Object, sub: str | None = None) -> None:
        """A merge patch of what may have gone since it was seen."""
        answer = self._patch(kind, namespace, name, body, sub)
        if answer.status_code != httpx.codes.NOT_FOUND:
            _good(answer)

    def _patch(self, kind: Kind, namespace: str, name: str, body: Object, sub: str | None) -> httpx.Response:
        return self.ask("PATCH", kind.path(namespace, name, sub), body, MERGE)

    def find(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """The object, or None where there is none."""
        answer = self.ask("GET", kind.path(namespace, name))
        return None if answer.status_code == httpx.codes.NOT_FOUND else _good(answer)

    def items(self, kind: Kind, namespace: str | None, labels: str = "", fields: str = "") -> list[Object]:
        """All objects of a kind, with their kind."""
        path = f"{kind.path(namespace)}?labelSelector={quote(labels)}&fieldSelector={quote(fields)}"
        found = _good(self.ask("GET", path))["items"]
        return [{"apiVersion": kind.api_version, "kind": kind.kind, **one} for one in found]

    def delete(self, kind: Kind, namespace: str | None, name: str, propagation: str = "Background") -> None:
        """Ask for its end; gone already is as good."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        answer = self.ask("DELETE", kind.path(namespace, name), options)
        if answer.status_code != httpx.codes.NOT_FOUND:
            _good(answer)


def _good(answer: httpx.Response) -> Object:
    assert answer.is_success, f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}"
    found: Object = answer.json()
    return found
