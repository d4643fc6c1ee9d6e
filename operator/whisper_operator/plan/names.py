"""Every name that is derived from a user's, in one place: valid wherever Kubernetes uses it, and never shared by two.

A name that fits is kept readable; one that had to be changed or cut carries a hash of what it was made from.
"""

import re
from hashlib import sha256

from whisper_operator.api.schema import LABEL_NAME

LIMIT = 63
HASH = 8


def digest(*parts: str) -> str:
    """Eight hex characters that stand for these parts, in this order and division."""
    return sha256("\0".join(parts).encode()).hexdigest()[:HASH]


def bounded(*parts: str) -> str:
    """Join parts into a DNS-1035 label of at most 63 characters."""
    plain = "-".join(parts)
    if len(plain) <= LIMIT and re.fullmatch(LABEL_NAME, plain):
        return plain
    return hashed(*parts)


def hashed(*parts: str) -> str:
    """Like `bounded`, always with the hash: for names whose parts could be divided in another way."""
    clean = re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")
    if not clean or not clean[0].isalpha():
        clean = f"x-{clean}"
    return f"{clean[: LIMIT - HASH - 1].rstrip('-')}-{digest(*parts)}"


def service(name: str) -> str:
    """The Service that users call."""
    return bounded(name)


def router(name: str) -> str:
    """Everything that makes up the router."""
    return bounded(name, "router")


def runtime(name: str, kind: str) -> str:
    """Everything that makes up one runtime."""
    return bounded(name, kind)


def claim(modelset: str) -> str:
    """The claim that a ModelSet makes."""
    return bounded(modelset, "models")


def job(claim_name: str, model: str, variant_format: str, precision: str, *task: str) -> str:
    """The Job that makes one variant on one claim; with a task, the one that does that with it."""
    return hashed(claim_name, model, variant_format, precision, *task)
