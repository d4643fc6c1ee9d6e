"""The pause image, made without any image builder: one static program in an OCI archive that Python writes."""

import gzip
import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path

from tests.cluster.processes import run

NAME = "localhost/whisper-pause:1"
SOURCE = Path(__file__).with_name("pause.c")
_OCI = "application/vnd.oci.image"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def archive(images: Path) -> Path:
    """The image's archive below `images`, made once for each content of pause.c."""
    digest = hashlib.sha256(SOURCE.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:12]
    finished = images / f"pause-{digest}.tar"
    if not finished.exists():
        images.mkdir(parents=True, exist_ok=True)
        program = images / f".pause-{digest}"
        run(["gcc", "-static", "-Os", "-s", "-o", str(program), str(SOURCE)])
        unfinished = finished.with_suffix(".unfinished")
        unfinished.write_bytes(image(program.read_bytes()))
        unfinished.replace(finished)
        program.unlink()
    return finished


def image(program: bytes, name: str = NAME) -> bytes:
    """An OCI archive with `program` as the only file and the entry point. Pure."""
    layer = _tar({"pause": program})
    config = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "User": "65532:65532"},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    blobs = [gzip.compress(layer, mtime=0), json.dumps(config).encode()]
    layer_entry, config_entry = _entry("layer.v1.tar+gzip", blobs[0]), _entry("config.v1+json", blobs[1])
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": config_entry,
        "layers": [layer_entry],
    }
    blobs.append(json.dumps(manifest).encode())
    named = {**_entry("manifest.v1+json", blobs[2]), "annotations": {"org.opencontainers.image.ref.name": name}}
    files = {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": blob for blob in blobs}
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [named]}).encode()
    files["oci-layout"] = json.dumps({"imageLayoutVersion": "1.0.0"}).encode()
    return _tar(files)


def _entry(kind: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": f"{_OCI}.{kind}", "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
