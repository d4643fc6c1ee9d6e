"""Libraries that can open an auxiliary model's files, one module each, in the shape of a transcriber."""
