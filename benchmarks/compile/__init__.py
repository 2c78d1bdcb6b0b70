"""Compile time and peak memory of `hbir-compile` beside ethos-u-vela, on the same two networks.

`python -m benchmarks.compile` runs it; `measure` times a command, `networks` makes hbir's inputs,
`vela` sets the peer up.
"""
