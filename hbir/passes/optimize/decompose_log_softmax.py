"""Write log_softmax as ops that the BPU has: x − max, then minus the log of the sum of exp."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import ExpOp
from hbir.dialects.hbir.elementwise import SubOp
from hbir.dialects.hbir.norm import LogSoftmaxOp
from hbir.dialects.hbir.reduce import ReduceMaxOp, ReduceSumOp
from hbir.dialects.hbir.unary import LogOp
from hbir.ir.rewriter import OpT, Rewrite, apply_patterns
from hbir.passes.graph import derive_origin


class DecomposeLogSoftmaxPass(ModulePass):
    """log_softmax(x) becomes d − log Σ exp(d), d = x − max x.

    Not log(softmax(x)): quantized to 8 bits, a softmax is 0 from the logarithm −5.5 down.
    """

    name = "decompose-log-softmax"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {LogSoftmaxOp: decompose})


def decompose(op: LogSoftmaxOp, rewrite: Rewrite) -> None:
    """The float32 result is the same: the kernel computes these steps too."""

    def step(new: OpT, suffix: str) -> OpT:
        derive_origin(new, op, suffix)
        return rewrite.insert(new, before=op)

    dims = [op.params()["dim"]]
    largest = step(ReduceMaxOp.make(op.x, dims=dims), "max")
    distance = step(SubOp.make(op.x, largest), "distance")
    total = step(ReduceSumOp.make(step(ExpOp.make(distance), "exp"), dims=dims), "sum")
    logarithm = step(LogOp.make(total), "log")
    rewrite.replace(op, SubOp.make(distance, logarithm))
