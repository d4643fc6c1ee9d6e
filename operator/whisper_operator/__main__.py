"""`python -m whisper_operator`, where no console script is installed."""

import sys

from whisper_operator.cli import main

sys.exit(main())
