"""Whisper's decoding, as every engine that runs the model's graphs itself does it: mel, tokens, grammar, guards, words.

An engine brings a `graphs.Graphs`; `listener.Listener` does the rest.
"""
