"""How fast the operator is, and what it costs, beside a real API server."""
