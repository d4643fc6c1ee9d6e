"""A real Kubernetes cluster on one Linux machine, for tests, for the demo and for people without Docker.

Standard library only, run by the system's Python: it must work before anything else of this project is installed.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one reads this sentence instead of a traceback
    sys.exit("Python 3.11 or newer is needed: Debian 12 and Ubuntu 24.04 have it; or make PYTHON=/path/to/python3.11")
