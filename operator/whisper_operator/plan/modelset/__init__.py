"""Planning of a ModelSet: which claim, which Jobs, what to say."""
