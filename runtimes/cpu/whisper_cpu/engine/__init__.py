"""The only place that knows ONNX Runtime.

`load(folder, threads).transcribe(waveform, Options())` is the whole engine as a library: mono float32 at 16 kHz in,
segments out, without voice detection.
"""

from whisper_runtime.engine import Options

from whisper_cpu.engine.cpu import CpuEngine, load

__all__ = ["CpuEngine", "Options", "load"]
