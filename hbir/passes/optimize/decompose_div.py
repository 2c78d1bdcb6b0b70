"""Write divisions as multiplications: by a constant, or by a table of reciprocals."""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import ReciprocalOp
from hbir.dialects.hbir.elementwise import DivOp, MulOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.passes.graph import derive_origin


class DecomposeDivPass(ModulePass):
    """x / c becomes x · (1/c); x / y becomes x · reciprocal(y). A constant with a 0 stays."""

    name = "decompose-div"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {DivOp: decompose})


def decompose(op: DivOp, rewrite: Rewrite) -> None:
    """The quotient's float32 rounding may differ in the last bit; int8 is far coarser."""
    divisor = rewrite.constant_value(op.rhs)
    if divisor is not None:
        if np.any(divisor == 0) or not np.all(np.isfinite(divisor)):
            return
        inverse = (1.0 / divisor.astype(np.float64)).astype(np.float32)
        rewrite.replace(op, MulOp.make(op.lhs, rewrite.constant(inverse, before=op)))
        return
    reciprocal = rewrite.insert(ReciprocalOp.make(op.rhs), before=op)
    derive_origin(reciprocal, op, "reciprocal")
    rewrite.replace(op, MulOp.make(op.lhs, reciprocal))
