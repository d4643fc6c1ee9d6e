"""The npu runtime: OpenVINO on the best device that works here: an NPU, an integrated GPU, or the CPU."""
