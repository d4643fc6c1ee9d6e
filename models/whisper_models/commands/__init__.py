"""What `whisper-models` can do: one module a command, each declaring its options and running with them."""
