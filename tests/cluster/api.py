"""The few calls to the API server that bringing a cluster up needs; everyone else uses kubectl or a client library."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

Object = dict[str, Any]
TIMEOUT = 5


class Api:
    """One API server, as the kubeconfigs of `credentials` describe it."""

    def __init__(self, kubeconfig: Path) -> None:
        content = json.loads(kubeconfig.read_text())
        cluster = content["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._server = cluster["server"]
        self._token = content["users"][0]["user"]["token"]
        self._tls = ssl.create_default_context(cadata=authority)

    def ready(self) -> bool:
        try:
            self._send("GET", "/readyz")
        except OSError:
            return False
        return True

    def get(self, path: str) -> Object | None:
        """The object or list; None where it is not there or nobody answers."""
        try:
            found: Object = json.loads(self._send("GET", path))
        except OSError:
            return None
        return found

    def apply(self, path: str, manifest: Object) -> bool:
        """Server-side apply; False where the server refuses, as it does before a namespace exists."""
        try:
            self._send("PATCH", f"{path}?fieldManager=local-cluster&force=true", manifest)
        except OSError:
            return False
        return True

    def ready_nodes(self) -> set[str]:
        nodes = self.get("/api/v1/nodes") or {"items": []}
        return {node["metadata"]["name"] for node in nodes["items"] if _is_ready(node)}

    def node_is_ready(self, name: str) -> bool:
        return name in self.ready_nodes()

    def _send(self, method: str, path: str, body: Object | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/apply-patch+yaml"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data=data, headers=headers, method=method)
        # an opener of our own: a proxy from the environment does not reach this cluster
        direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._tls)
        )
        try:
            with direct.open(request, timeout=TIMEOUT) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as refusal:
            with refusal:  # it holds the connection
                raise OSError(f"{method} {path}: {refusal.code} {refusal.reason}") from None


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
