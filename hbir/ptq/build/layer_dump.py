"""`layer_out_dump`: a dequantized output for every convolution-like layer, for debugging.

An output is called as the user's tensor and has its layout; a layer whose result the BPU quantizes
gives what it quantized. In the simulator no outputs are needed for it: a listener of `Graph.feed`
gets every tensor (`hbir/runtime/values.py`).
"""

from __future__ import annotations

import numpy as np
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from hbir.dialects.hbir.move import TransposeOp
from hbir.ir.function import body_of, output_names, return_of
from hbir.ir.origin import Origin, origin_of, set_origin
from hbir.module import Module
from hbir.overlay.ports import append_outputs
from hbir.passes.fake_quant import fake_quants_of
from hbir.passes.groups import group_ending_at


def dump_layers(module: Module) -> list[str]:
    """Add the outputs to a calibrated module, in place; returns their names."""
    return [name for function in module.functions for name in _dump(function.op)]


def _dump(function: FuncOp) -> list[str]:
    taken = set(output_names(function))
    added: list[tuple[str, SSAValue]] = []
    for op in list(body_of(function).ops):
        group = group_ending_at(op)
        origin = origin_of(group.output) if group is not None else None
        if group is None or origin is None or origin.tensor in taken:
            continue
        fake_quants = fake_quants_of(group.output)
        value: SSAValue = fake_quants[0].results[0] if fake_quants else group.output
        if origin.perm:
            dims = [int(axis) for axis in np.argsort(origin.perm)]
            turned = TransposeOp.make(value, dims=dims)
            set_origin(turned, Origin(origin.tensor))
            body_of(function).insert_ops_before([turned], return_of(function))
            value = turned.output
        taken.add(origin.tensor)
        added.append((origin.tensor, value))
    append_outputs(function, added)
    return [name for name, _ in added]
