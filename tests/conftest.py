"""What holds for all tests: property tests try the same examples in every run, however slow the machine is.

So a run that fails tells of a change, not of chance or of a busy machine. `--hypothesis-profile=explore` tries others.
"""

from hypothesis import settings

settings.register_profile("the same", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("the same")
