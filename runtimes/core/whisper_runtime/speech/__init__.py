"""Finding speech, cutting it into what an engine takes at once, and putting the answers back in their place in time."""
