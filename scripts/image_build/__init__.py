"""Our container images: which there are, when one must be built again, and with what.

An image's tag is a hash of exactly what goes into it, so that an unchanged image is known by its file's name
and nothing needs to be asked of the container tool.
"""
