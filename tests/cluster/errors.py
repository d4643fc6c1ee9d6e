"""Everything that can go wrong with the local cluster, a sentence each.

ClusterError            what was wrong, where, and what to do; the command line prints it and ends with 1
├── MissingError        this machine lacks something that a person must install
├── CommandError        a program that we ran failed; carries what it printed
├── TimeoutExceededError a condition did not come true in time; carries the end of the log that tells why
└── UnsupportedError    the chosen provider cannot do that; says what to do instead
"""


class ClusterError(Exception):
    """The root; its message is for people."""


class MissingError(ClusterError):
    """This machine lacks something that a person must install."""


class CommandError(ClusterError):
    """A program that we ran failed."""


class TimeoutExceededError(ClusterError):
    """A condition did not come true in time."""


class UnsupportedError(ClusterError):
    """The chosen provider cannot do that."""
