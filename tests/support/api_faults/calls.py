"""What a request asks of the API server, in Kubernetes' words."""

from dataclasses import dataclass

from yarl import URL

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
IN_GROUP, IN_CORE = 3, 2
"""Parts of a path before the resource: `apis/GROUP/VERSION`, `api/VERSION`."""


@dataclass(frozen=True)
class Call:
    """One request, as it arrived.

    Attributes:
        at: when, in seconds of the monotonic clock.
        verb: `get`, `list`, `watch`, `create`, `update`, `patch` or `delete`.
        resource: plural, with the subresource behind a slash; the path itself where it is of no resource.
        name: of the object; empty for a collection.
    """

    at: float
    verb: str
    resource: str
    name: str


def call(at: float, method: str, url: URL) -> Call:
    """The call behind a method and a URL."""
    resource, name = _resource(url.path)
    if method in VERBS:
        return Call(at, VERBS[method], resource, name)
    if url.query.get("watch") in ("true", "True", "1"):
        return Call(at, "watch", resource, name)
    return Call(at, "get" if name or resource.startswith("/") else "list", resource, name)


def _resource(path: str) -> tuple[str, str]:
    parts = path.strip("/").split("/")
    rest = parts[IN_GROUP:] if parts[0] == "apis" else parts[IN_CORE:] if parts[0] == "api" else []
    if rest[:1] == ["namespaces"] and len(rest) > 2:  # namespaces/NAME/RESOURCE
        rest = rest[2:]
    if not rest:
        return path, ""
    plural, name, *sub = [*rest, ""] if len(rest) == 1 else rest
    return "/".join((plural, *sub)), name
