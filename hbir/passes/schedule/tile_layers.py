"""Choose each layer's tiles."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.backend.tiling import choose_tiling
from hbir.dialects.layers import body_ops, clear_schedule, layer_of, set_schedule
from hbir.ir.function import functions_of
from hbir.passes.scheduling import machine_of


@dataclass(frozen=True)
class TileLayersPass(ModulePass):
    """Write every BPU op's `schedule`: its tile, loop order and buffers. Each is its own group.

    opt 0: the first tiling that fits, one buffer each. 1: the best by a search over the cost model.
    A schedule that was there is taken back first.
    """

    name = "tile-layers"

    march: str | None = None
    opt: int = 1

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op, self.march)
        for function in functions_of(op):
            clear_schedule(function)
            layers = [body_op.op for body_op in body_ops(function) if body_op.is_layer]
            for group, layer_op in enumerate(layers):
                tiling = choose_tiling(machine, layer_of(layer_op), self.opt)
                set_schedule(layer_op, group, tiling)
