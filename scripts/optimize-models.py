"""Does what `whisper-models optimize` does, with the same options."""  # noqa: N999 - people know the script by this name

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.argv.insert(1, "optimize")
    runpy.run_path(str(Path(__file__).with_name("models_command.py")), run_name="__main__")
