import io
import tarfile
from pathlib import Path

import pytest

from tests.cluster import images, oci
from tests.cluster.errors import ClusterError
from tests.cluster.images import Image

TABLE = """\
REF                           TYPE                                       DIGEST        SIZE    PLATFORMS   LABELS
localhost/whisper-cpu:0f3a    application/vnd.oci.image.manifest.v1+json sha256:aa11   1.0 MiB linux/amd64 -
localhost/whisper-pause:1     application/vnd.oci.image.manifest.v1+json sha256:bb22   1.0 MiB linux/amd64 -
"""


def test_what_a_node_has_is_read_from_containerds_table() -> None:
    assert images.listed(TABLE) == {
        Image("localhost/whisper-cpu:0f3a", "sha256:aa11"),
        Image("localhost/whisper-pause:1", "sha256:bb22"),
    }


def test_an_archive_that_we_write_is_one_that_we_read(tmp_path: Path) -> None:
    archive = tmp_path / "made.tar"
    archive.write_bytes(oci.archive(b"program", "localhost/made:1"))
    (image,) = images.in_archive(archive)
    assert image.name == "localhost/made:1"


def test_the_same_program_makes_the_same_archive_and_another_program_another() -> None:
    assert oci.archive(b"one", "n") == oci.archive(b"one", "n")
    assert oci.archive(b"one", "n") != oci.archive(b"two", "n")


def test_a_file_that_is_no_archive_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(ClusterError, match=r"is not an OCI archive .*buildah push"):
        images.in_archive(tmp_path / "text")


def test_an_archive_without_a_name_is_refused_with_what_to_do(tmp_path: Path) -> None:
    content = b'{"manifests": [{"digest": "sha256:aa"}]}'
    with tarfile.open(tmp_path / "nameless.tar", "w") as tar:
        entry = tarfile.TarInfo("index.json")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(ClusterError, match=r"names no image.*buildah push"):
        images.in_archive(tmp_path / "nameless.tar")


def test_an_archive_that_is_not_there_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"no image archive at .*images\.py build"):
        images.in_archive(tmp_path / "missing.tar")
