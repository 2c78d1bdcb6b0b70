"""Choose each layer's tiles."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.backend.tiling import choose_tiling, share_tiles
from hbir.dialects.layers import body_ops, clear_schedule, layer_of, set_core_axis, set_schedule
from hbir.ir.function import functions_of
from hbir.passes.scheduling import machine_of


@dataclass(frozen=True)
class TileLayersPass(ModulePass):
    """Write every BPU op's `schedule`: its tile, loop order and buffers. Each is its own group.

    opt 0: the first tiling that fits, one buffer each. 1: the best by a search over the cost model.
    A schedule that was there is taken back first. cores: how many share each layer's tiles, along
    the axis that `core_axis` says.
    """

    name = "tile-layers"

    march: str | None = None
    opt: int = 1
    cores: int = 1

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op, self.march)
        for function in functions_of(op):
            clear_schedule(function)
            layers = [body_op.op for body_op in body_ops(function) if body_op.is_layer]
            for group, layer_op in enumerate(layers):
                layer = layer_of(layer_op)
                tiling = choose_tiling(machine, layer, self.opt)
                if self.cores > 1:
                    shared = share_tiles(machine, layer, tiling, self.cores)
                    tiling, axis = shared if shared is not None else (tiling, None)
                    set_core_axis(layer_op, axis)
                set_schedule(layer_op, group, tiling)
