"""A runtime over an engine whose thread is gone after the checks, without a word to Python. Run as a program."""

import ctypes
import sys

from whisper_models.artifact import Format
from whisper_runtime.cli import Command, run
from whisper_runtime.engine import Options, Stop, Transcript, Waveform
from whisper_runtime.fake import FakeEngine
from whisper_runtime.settings import Settings

CHECKS = 3  # clips heard before the first request


class Crashing(FakeEngine):
    heard = 0

    def transcribe(self, audio: Waveform, options: Options, stop: Stop) -> Transcript:
        self.heard += 1
        if self.heard > CHECKS:
            ctypes.CDLL(None).pthread_exit(None)
        return super().transcribe(audio, options, stop)


if __name__ == "__main__":
    sys.exit(run(Command("crashing", "A thread that is gone.", Format.ONNX, Settings, {}, lambda _: Crashing())))
