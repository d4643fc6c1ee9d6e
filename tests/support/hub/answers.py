"""Which answer a request gets: a pure table of the Hub's routes, its headers and its error codes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from tests.support.hub.repositories import Blob, Repository, find

API = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)(?:/revision/(?P<revision>.+))?")
RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
STORED = re.compile(r"/_stored/(?P<repo>[^/]+/[^/]+)/(?P<file>.+)")
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers, and a body from memory or from part of a file."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: Path | None = None
    start: int = 0
    length: int = 0


def error(status: int, code: str, message: str) -> Answer:
    """An error as the Hub gives it: its client reads the headers, a person the body."""
    body = json.dumps({"error": message}).encode()
    return Answer(status, {"X-Error-Code": code, "X-Error-Message": message}, body, length=len(body))


def document(content: object) -> Answer:
    body = json.dumps(content).encode()
    return Answer(200, {"Content-Type": "application/json"}, body, length=len(body))


def answer(root: Path, path: str, byte_range: str | None) -> Answer:
    """What the Hub says to GET `path`; to HEAD it says the same without the body."""
    path = unquote(path)
    for route, respond in ((API, _model), (RESOLVE, _resolve), (STORED, _stored)):
        if match := route.fullmatch(path):
            repository = find(root, match["repo"])
            if repository is None:
                return error(404, "RepoNotFound", "Repository not found")
            return respond(repository, match, byte_range)
    return error(404, "NotFound", "Sorry, we can't find the page you are looking for.")


def _model(repository: Repository, match: re.Match[str], _range: str | None) -> Answer:
    if not repository.resolves(match["revision"] or "main"):
        return _no_revision(match["revision"])
    siblings = [blob.sibling() for blob in repository.files()]
    name = repository.identifier
    return document(
        {"id": name, "modelId": name, "sha": repository.commit, "private": False, "tags": [], "siblings": siblings}
    )


def _resolve(repository: Repository, match: re.Match[str], byte_range: str | None) -> Answer:
    if not repository.resolves(match["revision"]):
        return _no_revision(match["revision"])
    commit = {"X-Repo-Commit": repository.commit}
    blob = repository.file(match["file"])
    if blob is None:
        missing = error(404, "EntryNotFound", "Entry not found")
        return Answer(404, missing.headers | commit, missing.body, length=missing.length)
    if blob.sha256 is None:
        return _content(blob, byte_range, commit)
    elsewhere = {
        "Location": f"/_stored/{quote(repository.identifier)}/{quote(blob.name)}",
        "X-Linked-Etag": f'"{blob.etag}"',
        "X-Linked-Size": str(blob.size),
    }
    return Answer(302, commit | elsewhere)


def _stored(repository: Repository, match: re.Match[str], byte_range: str | None) -> Answer:
    """What a content delivery network does for the Hub; here on one host, so the commit is said again."""
    blob = repository.file(match["file"])
    commit = {"X-Repo-Commit": repository.commit}
    return _content(blob, byte_range, commit) if blob else error(404, "EntryNotFound", "Entry not found")


def _content(blob: Blob, byte_range: str | None, headers: dict[str, str]) -> Answer:
    headers = headers | {"ETag": f'"{blob.etag}"', "Accept-Ranges": "bytes"}
    wanted = RANGE.fullmatch(byte_range or "")
    if wanted is None:
        return Answer(200, headers, file=blob.path, length=blob.size)
    start, end = int(wanted[1]), min(int(wanted[2] or blob.size - 1), blob.size - 1)
    if start > end:
        return Answer(416, headers | {"Content-Range": f"bytes */{blob.size}"})
    part = headers | {"Content-Range": f"bytes {start}-{end}/{blob.size}"}
    return Answer(206, part, file=blob.path, start=start, length=end - start + 1)


def _no_revision(revision: str) -> Answer:
    return error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
