"""Cut BPU segments into function calls, between which other tasks may run."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from hbir.backend.march import Machine
from hbir.backend.plan.network import whole_cycles
from hbir.dialects.layers import body_ops, layer_of, segment_of, set_call
from hbir.ir.function import functions_of
from hbir.passes.scheduling import machine_of


@dataclass(frozen=True)
class SplitCallsPass(ModulePass):
    """Give every BPU op a `call`: the number of its function call within its segment.

    A call holds as many layers, in order, as take `max_cycles` cycles together: for each the more
    of its computation and of moving its operands and result. A layer that takes more is a call of
    its own. 0: one call per segment. Nothing on chip outlives a call.
    """

    name = "split-calls"

    march: str | None = None
    max_cycles: int = 0

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op, self.march)
        for function in functions_of(op):
            call, used, latest = 0, 0.0, -1
            for body_op in body_ops(function):
                if not body_op.is_layer:
                    continue
                segment = segment_of(body_op.op)
                if segment != latest:
                    call, used, latest = 0, 0.0, segment
                cycles = _cycles(machine, body_op.op) if self.max_cycles else 0.0
                if used and used + cycles > self.max_cycles:
                    call, used = call + 1, 0.0
                used += cycles
                set_call(body_op.op, call)


def _cycles(machine: Machine, op: Operation) -> float:
    layer = layer_of(op)
    moved = sum(spec.byte_size for spec in layer.inputs) + layer.output.byte_size
    return max(whole_cycles(machine, layer), moved / machine.ddr_bytes_per_cycle)
