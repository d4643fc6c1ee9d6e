"""A real Kubernetes cluster on one Linux machine, for tests, for the demo and for people without Docker.

Standard library only, run by the system's Python: it must work before anything else of this project is installed.
"""
