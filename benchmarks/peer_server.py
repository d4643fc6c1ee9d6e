"""`python -m benchmarks.peer_server SETTING PORT`: a library without a server, behind the least that makes it one.

FastAPI and uvicorn, as such libraries are mostly wrapped: a form with a file, and whether words' times are wanted;
calls run in threads, so whether they overlap is the library's affair.
"""

from __future__ import annotations

import importlib
import io
import sys
from typing import Annotated

import soundfile
import uvicorn
from fastapi import FastAPI, File, Form

from benchmarks.peers import Peer, Setting


def app_of(peer: Peer) -> FastAPI:
    """Two addresses: the one that transcribes, and one that answers once it can."""
    app = FastAPI()

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/transcribe")
    def transcribe(
        *, file: Annotated[bytes, File()], word_timestamps: Annotated[bool, Form()] = False
    ) -> dict[str, str]:
        samples = soundfile.read(io.BytesIO(file), dtype="float32")[0]
        return {"text": peer.window(samples, words=word_timestamps)}

    return app


def main() -> None:
    setting = Setting.from_json(sys.argv[1])
    peer: Peer = importlib.import_module(setting.module).load(setting)
    uvicorn.run(app_of(peer), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
