"""A server that speaks enough of the Hugging Face Hub's protocol for its own client, and misbehaves when told to.

Stateless: it reads a folder of repositories. Used by tests in process, and as a pod where no model hub is reachable.
"""

from tests.support.hub.server import Hub, serve

__all__ = ["Hub", "serve"]
