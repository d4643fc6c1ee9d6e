"""Images of one static program, written as OCI archives by Python alone: no image builder, no base image."""

import gzip
import hashlib
import io
import json
import platform
import tarfile

_OCI = "application/vnd.oci.image"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def archive(program: bytes, name: str) -> bytes:
    """An OCI archive whose image `name` is that program, run as an ordinary user. Pure."""
    layer = _tar({"program": program})
    config = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": ["/program"], "User": "65532:65532"},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    layer_blob, config_blob = gzip.compress(layer, mtime=0), json.dumps(config).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _entry("config.v1+json", config_blob),
        "layers": [_entry("layer.v1.tar+gzip", layer_blob)],
    }
    manifest_blob = json.dumps(manifest).encode()
    named = {**_entry("manifest.v1+json", manifest_blob), "annotations": {"org.opencontainers.image.ref.name": name}}
    blobs = (layer_blob, config_blob, manifest_blob)
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
