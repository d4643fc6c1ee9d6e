"""The cpu runtime: ONNX Runtime with our own decode loop, the universal fallback."""
