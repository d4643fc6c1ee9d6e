"""Our runtimes against what people use on CPUs today: the same model, clips and cores, in one run.

Three parts: `engines` as libraries, `http` as servers on loopback, and the `words` that each got wrong.
"""
