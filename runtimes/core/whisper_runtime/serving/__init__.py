"""How one process works through requests: its life, admission, the inference threads, and what it reports of itself."""
