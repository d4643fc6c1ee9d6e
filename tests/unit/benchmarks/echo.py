"""A peer without a model: says what it was given, and on which cores it runs."""

import os

from benchmarks.peers import Setting, Waveform


class Echo:
    def window(self, audio: Waveform, *, words: bool = False) -> str:
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
        return f"window of {len(audio)} on {cores}{', with words' if words else ''}"

    def speech(self, audio: Waveform) -> str:
        return f"speech of {len(audio)}"


def load(_: Setting) -> Echo:
    return Echo()
