"""Code generation: scheduled layers in, instructions with their waits out. Knows no IR.

`queues` counts instructions and finds the waits that order needs; `addresses` remembers who last
touched which bytes; `emit_layer` writes one layer tile by tile; `graph` strings the steps of a
graph together.
"""
