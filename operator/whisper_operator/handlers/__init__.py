"""kopf watches, and that is all: it keeps nothing on anybody's objects and decides nothing."""
