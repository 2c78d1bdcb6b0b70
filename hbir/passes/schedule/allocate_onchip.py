"""Place each layer's tiles in on-chip memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.backend.tiling import areas, place_areas
from hbir.dialects.layers import body_ops, layer_of, set_onchip, tiling_of
from hbir.ir.function import functions_of
from hbir.passes.scheduling import machine_of


@dataclass(frozen=True)
class AllocateOnchipPass(ModulePass):
    """Write every BPU op's `onchip`: one `#bpu.alloc<l1, ...>` per operand, output, accumulator.

    opt 0 and 1: every layer from the bottom up. 2: alternately from the bottom up and from the top
    down, constants outermost, so that a layer's constants arrive while the one before still runs.
    """

    name = "allocate-onchip"

    march: str | None = None
    opt: int = 2

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op, self.march)
        for function in functions_of(op):
            layers = [body_op.op for body_op in body_ops(function) if body_op.is_layer]
            for number, layer_op in enumerate(layers):
                layer = layer_of(layer_op)
                tiling = tiling_of(layer_op, layer)
                needed = areas(machine, layer, tiling.tile, tiling.buffers)
                from_top = self.opt >= 2 and number % 2 == 1
                set_onchip(layer_op, needed, place_areas(machine, layer, needed, from_top))
