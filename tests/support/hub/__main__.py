"""`python -m tests.support.hub --root DIR --port 8081`: serve DIR/<organisation>/<name>/ as Hub repositories."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from tests.support.hub import Hub
from tests.support.hub.faults import OF_CONTENT, OF_REQUESTS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.hub",
        description="Serve DIR/<organisation>/<name>/ as Hub repositories.",
        epilog='Faults while it runs: POST /_faults with [{"kind": "corrupt", "path": "*model.safetensors"}]; kinds: '
        f"{', '.join(sorted(OF_REQUESTS | OF_CONTENT))}; [] switches all off. GET /_requests lists what was asked.",
    )
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a pod (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8081, help="default: %(default)s")
    parser.add_argument("--token-file", type=Path, help="ask for the token in this file")
    arguments = parser.parse_args()
    token = arguments.token_file.read_text().strip() if arguments.token_file else None
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # nothing to save
    with Hub(arguments.root, arguments.host, arguments.port, token) as hub:
        sys.stderr.write(f"test hub: {hub.url} serves {hub.root}\n")
        hub.serve_forever()


if __name__ == "__main__":
    main()
