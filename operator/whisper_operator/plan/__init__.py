"""Decisions, and nothing but decisions: what was observed goes in, a `Plan` comes out.

Nothing here knows a client, a clock or the environment; `cluster` gathers the input and carries out the output.
"""
