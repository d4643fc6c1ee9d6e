"""The cpu runtime: ONNX Runtime with our own decode loop, the universal fallback."""

import os

# Since 1.29 ONNX Runtime tells its makers of every model that it runs, over the network, unless this is set before.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
