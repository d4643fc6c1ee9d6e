"""What `make` runs with the system's Python: standard library only, so that it works before `make setup`."""
