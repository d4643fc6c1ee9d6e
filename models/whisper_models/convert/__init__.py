"""From a published checkpoint to the format an engine reads, one module or package per format; no torch anywhere."""

import sys

# OpenVINO's tools report each run to their makers' statistics, unless this package is not there.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # None says so
