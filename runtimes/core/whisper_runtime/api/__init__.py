"""The HTTP side of the contract: uploads, options, endpoints, formats."""
