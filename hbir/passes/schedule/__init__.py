"""Schedule passes: how and where each op of a quantized module runs, written as attributes.

They only call the algorithms of `hbir.backend` and write the answers down. `hbir.compiler` runs
them: partition-segments and split-calls, then tile-layers and allocate-onchip (O0, O1) or
group-layers (O2), then allocate-workspace.
"""
