"""Schedule passes: how and where each op of a quantized module runs, written as attributes.

They only call the algorithms of `hbir.backend` and write the answers down: partition-segments,
tile-layers, allocate-onchip, allocate-workspace, in this order.
"""
