"""The process of one pipeline: `python -m whisper_npu.child FD`, with a socket to the runtime as its argument.

OpenVINO holds Python's global lock while it compiles, minutes on an NPU, so in the runtime's own process nothing else
would be answered. A process also is what can be ended when a driver hangs, and lost when one crashes. Nothing of this
package is imported by the runtime.

A pipeline that has raised is never used again: one that refused a prompt answered the next request with that prompt.
"""
