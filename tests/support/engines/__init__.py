"""Engines that go wrong, each in its own way, in the shape of a transcriber of `whisper_models.validate`."""
