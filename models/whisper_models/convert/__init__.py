"""From a published checkpoint to the format an engine reads, one module or package per format; no torch anywhere."""
