"""The variants that a runtime is best served with, made in one go."""
