"""Place each layer's tiles in on-chip memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.backend.tiling import stack_areas
from hbir.dialects.layers import areas_of, body_ops, layer_of, set_onchip
from hbir.ir.function import functions_of
from hbir.passes.scheduling import machine_of


@dataclass(frozen=True)
class AllocateOnchipPass(ModulePass):
    """Write every BPU op's `onchip`: one `#bpu.alloc<l1, ...>` per buffer of its tiles.

    Every layer has the memory to itself, from the bottom up, constants first.
    """

    name = "allocate-onchip"

    march: str | None = None

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op, self.march)
        for function in functions_of(op):
            layers = [body_op.op for body_op in body_ops(function) if body_op.is_layer]
            for layer_op in layers:
                needed = areas_of(layer_op, machine)
                set_onchip(layer_op, needed, stack_areas(layer_of(layer_op), needed))
