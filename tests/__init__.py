"""The tests, the local cluster, and what they stand on; a package, so that no other `tests` on the path comes first."""
