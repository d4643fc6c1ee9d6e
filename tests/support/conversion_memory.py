"""`python -m tests.support.conversion_memory FORMAT PRECISION SOURCE TARGET`: convert, check, say the peak memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from whisper_models.artifact import Format, Precision
from whisper_models.convert.checkpoint import open_checkpoint
from whisper_models.convert.formats import converter_of


def peak_bytes(form: Format, precision: Precision, source: Path, target: Path) -> tuple[int, float]:
    """Of a process of its own: the most memory it ever held, mapped files included, and its seconds."""
    command = [sys.executable, "-m", __name__, form, precision, str(source), str(target)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    answer = json.loads(run.stdout)
    return int(answer["peak"]), float(answer["seconds"])


def main(form: str, precision: str, source: Path, target: Path) -> None:
    start = time.monotonic()
    converter = converter_of(Format(form))
    converter.convert(source, target, Precision(precision), lambda _name: None)
    converter.check(target, open_checkpoint(source))
    # not getrusage: that would count what this process was before it became Python
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise RuntimeError("this system does not say how much memory a process held")
    print(json.dumps({"peak": int(found[1]) * 1024, "seconds": time.monotonic() - start}))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
