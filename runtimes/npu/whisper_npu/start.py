"""The command's entry point, which can be told to stop before everything else is imported."""

from whisper_runtime.early import end_on_sigterm


def main() -> None:
    """The console script."""
    end_on_sigterm()
    from whisper_npu.cli import main as run  # noqa: PLC0415 - loads everything, so the handler has to be there first

    run()
