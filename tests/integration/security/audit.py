"""What the API server wrote down about the requests of a service account."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.control_plane import AUDIT_LOG
from tests.integration.security.rights import Grant

CREATED, FORBIDDEN = 201, 403


@dataclass(frozen=True)
class Request:
    """One request that was answered."""

    grant: Grant
    namespace: str | None
    path: str
    code: int


def requests_of(user: str, kubeconfig: Path) -> list[Request]:
    """Everything that this user asked for, in order."""
    log = kubeconfig.parents[1] / "logs" / AUDIT_LOG
    whole = log.read_text().rpartition("\n")[0]  # the last line may just be written
    entries = (json.loads(line) for line in whole.splitlines() if user in line)
    return [_request(entry) for entry in entries if entry["user"]["username"] == user and "objectRef" in entry]


def used(requests: list[Request]) -> set[Grant]:
    """The rights that were needed: an apply that makes an object needs `create` besides `patch`."""
    made = {(one.grant[0], one.grant[1], "create") for one in requests if one.code == CREATED}
    return {one.grant for one in requests if one.code != FORBIDDEN} | made


def _request(entry: dict[str, Any]) -> Request:
    at = entry["objectRef"]
    resource = "/".join(part for part in (at.get("resource", ""), at.get("subresource")) if part)
    return Request(
        grant=(at.get("apiGroup", ""), resource, entry["verb"]),
        namespace=at.get("namespace"),
        path=entry["requestURI"],
        code=entry["responseStatus"]["code"],
    )
