"""Models at plain addresses: an archive of a checkpoint, or one file; what is not what was promised is never kept."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whisper_models.artifact import PREMADE, Format, Manifest, Precision, Variant
from whisper_models.download import AddressSource, Patience, download, download_premade
from whisper_models.download.archive import unpack
from whisper_models.download.offers import Errand
from whisper_models.download.selection import RemoteFile, select
from whisper_models.errors import (
    AuthFailed,
    ChecksumMismatch,
    DnsFailed,
    HubError,
    HubUnreachable,
    ModelFailure,
    NotFound,
    TlsFailed,
    UnsupportedCheckpoint,
    UnusableSource,
)
from whisper_models.progress import Progress
from whisper_models.store import UnifiedModelManager

from tests.support import random_checkpoint
from tests.support.artifacts import store_with
from tests.support.certificates import Authority, make_authority
from tests.support.connect_proxy import connect_proxy
from tests.support.downloads import QUICK
from tests.support.hub import Hub, serve

BASE = Variant.base("mine")
GGML = Variant("mine", Format.GGML, Precision.Q5_0)
NAMES = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "hf"
    return random_checkpoint.write_whole(folder, random_checkpoint.random_tensors(80), mel_bins=80)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Path:
    """What a plain web server has: the same checkpoint packed in several ways, and a real GGML model."""
    folder = tmp_path_factory.mktemp("web") / "o/files"
    folder.mkdir(parents=True)
    for name, mode, top in (
        ("plain.tar", "w", ""),
        ("below.tgz", "w:gz", "our-model/"),
        ("dotted.tar.xz", "w:xz", "./"),
    ):
        with tarfile.open(folder / name, mode) as tar:  # type: ignore[call-overload] # a mode is a string
            tar.add(checkpoint, arcname=top)
    store = UnifiedModelManager(store_with(Variant("tiny.en", Format.GGML, Precision.Q5_0)))
    (folder / "any-name").write_bytes(store.file(Variant("tiny.en", Format.GGML, Precision.Q5_0)).read_bytes())
    (folder / "page.html").write_text("<html>Not found</html>")
    return folder


@pytest.fixture
def web(files: Path) -> Iterator[Hub]:
    with serve(files.parents[1]) as server:
        yield server


def _source(web: Hub, files: Path, name: str, query: str = "") -> AddressSource:
    sha256 = hashlib.sha256((files / name).read_bytes()).hexdigest()
    return AddressSource(f"{web.url}/_stored/o/files/{name}{query}", sha256)


def _fetch(store: UnifiedModelManager, source: AddressSource, patience: Patience = QUICK) -> Manifest:
    return download(store, "mine", source, Progress(), patience)


@pytest.mark.parametrize("name", ["plain.tar", "below.tgz", "dotted.tar.xz"])
def test_an_archive_of_a_checkpoint_becomes_a_model(
    web: Hub, files: Path, store: UnifiedModelManager, checkpoint: Path, name: str
) -> None:
    source = _source(web, files, name, query="?signature=secret")
    manifest = _fetch(store, source)
    assert store.damage(BASE) == []
    assert {entry.path for entry in manifest.files} >= set(NAMES)
    for entry in manifest.files:
        assert (store.path(BASE) / entry.path).read_bytes() == (checkpoint / entry.path).read_bytes()
    assert manifest.source.revision == source.sha256
    assert manifest.source.repo == f"{web.url}/_stored/o/files/{name}"
    assert "secret" not in f"{manifest!r}{source!r}"
    asked = len(web.requests)
    assert _fetch(store, source) == manifest
    assert len(web.requests) == asked, "what is there and sound is not asked for again"


def test_one_file_is_a_ggml_model_in_the_precision_that_it_says(
    web: Hub, files: Path, store: UnifiedModelManager
) -> None:
    source = _source(web, files, "any-name")
    manifest = download_premade(store, GGML, source, Progress(), QUICK)
    assert store.file(GGML).read_bytes() == (files / "any-name").read_bytes()
    assert manifest.tools[PREMADE] == manifest.source.repo
    other = Variant("mine", Format.GGML, Precision.Q8_0)
    with pytest.raises(UnsupportedCheckpoint, match="q5_0"):
        download_premade(store, other, source, Progress(), QUICK)
    assert store.manifest(other) is None


def test_a_cut_transfer_goes_on_where_it_was(web: Hub, files: Path, store: UnifiedModelManager) -> None:
    size = (files / "plain.tar").stat().st_size
    web.faults.replace([{"kind": "cut", "path": "*plain.tar", "after": size // 2}])
    with pytest.raises(HubUnreachable):
        _fetch(store, _source(web, files, "plain.tar"))
    web.faults.replace([])
    web.requests.clear()
    _fetch(store, _source(web, files, "plain.tar"))
    assert [request["range"] for request in web.requests][-1] not in (None, "bytes=0-0")
    assert store.damage(BASE) == []


NAME = "files.example.invalid"
"""Only the proxy knows where it leads."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), NAME)


@pytest.fixture
def secure(files: Path, authority: Authority) -> Iterator[Hub]:
    with serve(files.parents[1], tls=authority.server()) as server:
        yield server


def test_an_unknown_authority_has_a_reason_of_its_own_and_naming_it_is_all_that_helps(
    secure: Hub, files: Path, store: UnifiedModelManager, authority: Authority
) -> None:
    source = _source(secure, files, "plain.tar", query="?signature=secret")
    with pytest.raises(TlsFailed, match="SSL_CERT_FILE or --ca-bundle") as failure:
        _fetch(store, source)
    assert secure.url in failure.value.message
    assert "secret" not in failure.value.message
    assert failure.value.retryable
    assert store.manifests() == []
    _fetch(store, replace(source, authorities=authority.certificate))
    assert store.damage(BASE) == []


def test_everything_goes_through_the_proxys_tunnel(
    secure: Hub, files: Path, store: UnifiedModelManager, authority: Authority
) -> None:
    sha256 = hashlib.sha256((files / "plain.tar").read_bytes()).hexdigest()
    asked = ["--url", f"https://{NAME}/_stored/o/files/plain.tar", "--sha256", sha256]
    line = ["download", "--models", "mine", *asked, "--ca-bundle", str(authority.certificate)]
    plain = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    host, port = secure.server_address[:2]
    with connect_proxy({NAME: (str(host), port)}, "builder:s3cret") as proxy:
        for login, code in (("builder:wrong", 1), ("builder:s3cret", 0)):
            done = subprocess.run(
                [sys.executable, "-m", "whisper_models.cli", *line, "--root", str(store.root)],
                env=plain | {"HTTPS_PROXY": f"http://{login}@{proxy.address}"},
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
            assert done.returncode == code, done.stderr
            assert login not in done.stderr
            assert ("AuthFailed: the proxy before" in done.stderr) == (code == 1)
    assert {(method, target) for method, target, _ in proxy.asked} == {("CONNECT", f"{NAME}:443")}
    assert b"plain.tar" not in proxy.carried  # it saw no more than TLS
    assert secure.requests
    assert store.damage(BASE) == []


def test_bytes_that_were_not_promised_are_not_kept(web: Hub, files: Path, store: UnifiedModelManager) -> None:
    web.faults.replace([{"kind": "corrupt", "path": "*plain.tar", "after": 5000}])
    with pytest.raises(ChecksumMismatch, match=r"plain\.tar"):
        _fetch(store, _source(web, files, "plain.tar"))
    assert store.manifests() == []
    assert not list(store.root.rglob(".archive*"))
    web.faults.replace([])
    _fetch(store, _source(web, files, "plain.tar"))
    assert store.damage(BASE) == []


REFUSED: dict[str, tuple[dict[str, object], type[ModelFailure]]] = {
    "not there": ({"kind": "status", "status": 404}, NotFound),
    "no access": ({"kind": "status", "status": 403}, AuthFailed),
    "in trouble": ({"kind": "status", "status": 500}, HubError),
    "no size": ({"kind": "bare"}, HubError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_every_refusal_has_its_name_and_passes_by_itself(
    web: Hub, files: Path, store: UnifiedModelManager, case: str
) -> None:
    fault, reason = REFUSED[case]
    web.faults.replace([fault])
    with pytest.raises(reason) as failure:
        _fetch(store, _source(web, files, "plain.tar", query="?signature=secret"))
    assert failure.value.retryable
    assert "plain.tar" in failure.value.message
    assert "secret" not in failure.value.message
    web.faults.replace([])
    _fetch(store, _source(web, files, "plain.tar"))


def test_a_page_in_place_of_an_archive_is_refused(web: Hub, files: Path, store: UnifiedModelManager) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="not a tar archive"):
        _fetch(store, _source(web, files, "page.html"))
    with pytest.raises(UnsupportedCheckpoint, match="no such model"):
        download_premade(store, GGML, _source(web, files, "page.html"), Progress(), QUICK)


def test_a_name_that_leads_nowhere_has_its_reason(store: UnifiedModelManager) -> None:
    with pytest.raises(DnsFailed, match=r"no-such-host\.invalid"):
        _fetch(store, AddressSource("http://no-such-host.invalid/m.tar", "0" * 64))


@pytest.mark.parametrize(
    ("url", "sha256"),
    [("ftp://host/x", "0" * 64), ("/etc/passwd", "0" * 64), ("http:///x", "0" * 64), ("http://host/x", "abc")],
)
def test_what_cannot_be_meant_is_refused_at_once(url: str, sha256: str) -> None:
    with pytest.raises(UnusableSource):
        AddressSource(url, sha256)


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(AuthFailed) as refused:
        AddressSource("http://me:hunter2@host/x", "0" * 64)
    assert "hunter2" not in str(refused.value)


def _tar(*members: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size) if member.isreg() else None)
    return out.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, linkname: str = "", size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, linkname, size
    return member


def _unpacked(content: bytes, folder: Path) -> None:
    """Take whatever is offered."""
    (folder / ".archive").write_bytes(content)

    def everything(_repo: str, files: object) -> list[RemoteFile]:
        return list(dict(files).values())  # type: ignore[call-overload] # a mapping

    errand = Errand(BASE, folder, everything, lambda _files: None, Progress(), QUICK)
    unpack(folder / ".archive", errand, "an archive")


HOSTILE = {
    "a path above": [_member("../outside", size=3), _member("a/../../outside", size=3)],
    "a path from the root": [_member("/tmp/outside", size=3)],
    "links": [
        _member("config.json", tarfile.SYMTYPE, "/etc/passwd"),
        _member("model.safetensors", tarfile.LNKTYPE, "../../outside"),
        _member("folder", tarfile.SYMTYPE, "/"),
        _member("folder/outside", size=3),
    ],
    "devices": [_member("config.json", tarfile.CHRTYPE), _member("pipe", tarfile.FIFOTYPE)],
}


@pytest.mark.parametrize("case", HOSTILE)
def test_nothing_in_an_archive_leads_out_of_the_folder(tmp_path: Path, case: str) -> None:
    folder = tmp_path / "deep" / "workspace"
    folder.mkdir(parents=True)
    _unpacked(_tar(*HOSTILE[case]), folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep"]
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["workspace"]
    for path in folder.rglob("*"):
        assert not path.is_symlink()
        assert path.is_dir() or path.is_file()


def test_a_small_archive_that_claims_to_be_huge_fills_no_disk(tmp_path: Path) -> None:
    member = _member("config.json", size=0)
    content = bytearray(_tar(member))
    member.size = 1 << 50
    content[:512] = member.tobuf(tarfile.GNU_FORMAT)[:512]
    with pytest.raises(ModelFailure):
        _unpacked(bytes(content), tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 100_000


GOOD = _tar(_member("m/config.json", size=700), _member("m/model.safetensors", size=9000))


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(GOOD) - 1), put=st.binary(min_size=1, max_size=20), cut=st.booleans())
def test_a_damaged_archive_is_read_or_refused(tmp_path: Path, at: int, put: bytes, *, cut: bool) -> None:
    content = GOOD[:at] if cut else GOOD[:at] + put + GOOD[at + len(put) :]
    folder = tmp_path / "workspace"
    folder.mkdir(exist_ok=True)
    with suppress(ModelFailure):
        _unpacked(content, folder)
    assert list(tmp_path.iterdir()) == [folder]
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 1_000_000


def test_an_archive_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".archive").write_bytes(_tar(_member("readme.txt", size=10)))
    errand = Errand(BASE, tmp_path, select, lambda _files: None, Progress(), QUICK)
    with pytest.raises(NotFound, match=r"model\.safetensors"):
        unpack(tmp_path / ".archive", errand, "an archive")
