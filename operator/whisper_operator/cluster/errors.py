"""What can go wrong with the API server.

ApiError
├── NotThere        404
├── Conflicting     409: it changed meanwhile, or it exists already
├── Expired         410: too long ago; begin anew
├── Refused         another 4xx: it will not be done, and the message says why
│   └── NamespaceEnding   403: the namespace is being deleted
└── Unavailable     no answer, or 401: try again later
    └── Failing     429, 5xx: an answer that says so
NotLeader           this process may not write (any more)
"""

from typing import Any


class ApiError(Exception):
    """The root: a request that did not succeed."""


class NotThere(ApiError):  # noqa: N818  # named as the table of errors reads
    """404."""


class Conflicting(ApiError):  # noqa: N818  # as above
    """409: it changed meanwhile, or it exists already."""


class Expired(ApiError):  # noqa: N818  # as above
    """The rest of a list, or the place in a watch, is no longer kept: begin anew."""


class Refused(ApiError):  # noqa: N818  # as above
    """It will not be done as it was asked for; the message is the API server's."""


class NamespaceEnding(Refused):
    """The namespace is being deleted: nothing can be made in it, and nothing needs to be."""


class Unavailable(ApiError):  # noqa: N818  # as above
    """No answer, or none that decides anything: later it may be another (Failing says so itself).

    A 401 is one, too. Tokens are replaced while this process runs, and what checks them can be out of order.
    """


class Failing(Unavailable):
    """An answer, but none that decides anything: too much to do, or something behind the API server is broken.

    A webhook of someone else's that does not work shows like this, for as long as nobody mends it.
    """


class NotLeader(Exception):  # noqa: N818  # as above
    """This process may not write (any more)."""


BY_STATUS: dict[int, type[ApiError]] = {
    401: Unavailable,
    404: NotThere,
    409: Conflicting,
    410: Expired,
    429: Failing,
}


def from_status(status: int, body: Any, request: str) -> ApiError:
    """The error behind an HTTP answer; `body` is a Kubernetes Status where the API server made it."""
    details = body if isinstance(body, dict) else {}
    message = str(details.get("message") or body or f"HTTP {status}")
    causes = (details.get("details") or {}).get("causes") or ()
    decided = BY_STATUS.get(status) or (Failing if status >= 500 else None)  # noqa: PLR2004  # HTTP
    if decided:
        return decided(f"{request}: {message}")
    if any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return NamespaceEnding(message)
    return Refused(message)
