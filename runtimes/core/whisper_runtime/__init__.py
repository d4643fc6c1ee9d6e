"""What the runtimes share: the contract, the app, audio, speech detection, admission, metrics.

numpy's BLAS keeps a pool of its own that goes on spinning after a product and so takes a core from inference; every
product here is small, so one thread is right. The variable is read when numpy loads, hence this place.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
