"""Code generation: scheduled layers in, instructions with their waits out. Knows no IR.

`queues` counts instructions and finds the waits that order needs; `addresses` remembers who last
touched which bytes; `emit_move` and `emit_compute` write one layer tile by tile, with what they
share in `layer_run`; `graph` strings the steps of a graph together.
"""
