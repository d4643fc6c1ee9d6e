"""The pause image, which every pod needs: made from pause.c by the compiler that runc needs anyway."""

import hashlib
from pathlib import Path

from tests.cluster import oci
from tests.cluster.processes import run

NAME = "localhost/whisper-pause:1"
SOURCE = Path(__file__).with_name("pause.c")


def archive(images: Path) -> Path:
    """The image's archive below `images`, made once for each content of pause.c."""
    digest = hashlib.sha256(SOURCE.read_bytes() + Path(oci.__file__).read_bytes()).hexdigest()[:12]
    finished = images / f"pause-{digest}.tar"
    if not finished.exists():
        images.mkdir(parents=True, exist_ok=True)
        program = images / f".pause-{digest}"
        run(["gcc", "-static", "-Os", "-s", "-o", str(program), str(SOURCE)])
        unfinished = finished.with_suffix(".unfinished")
        unfinished.write_bytes(oci.archive(program.read_bytes(), NAME))
        unfinished.replace(finished)
        program.unlink()
    return finished
