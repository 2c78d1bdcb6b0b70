"""Networks that were timed on boards, as graphs that hbir compiles: what a march is fitted to.

`graphs` builds a network up to its quantized module, `measurements` reads the public rows and says
which can be compared with a compiled graph, and `tools/fit_march.py` compares them.
"""
