"""coremltools, kept from warning on import of what only loading a model needs, which is not done here."""

import logging

logging.getLogger("coremltools").setLevel(logging.ERROR)

import coremltools  # noqa: E402 - it warns while it is imported
from coremltools.converters.mil import Builder  # noqa: E402 - the same
from coremltools.converters.mil.mil import types  # noqa: E402 - the same

__all__ = ["Builder", "coremltools", "types"]
