"""The npu runtime: OpenVINO GenAI on the best device that works here: an NPU, an integrated GPU, or the CPU."""
