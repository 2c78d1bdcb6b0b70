"""Make infinite constants finite: what hides elements from a softmax must be calibrated.

Masks hold −inf, which no range can hold. A large finite number hides as well; only a row in which
everything is hidden gives something else, numbers instead of nan.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.hbir.constant import ConstantOp
from hbir.ir.origin import origin_of_op
from hbir.ir.rewriter import Rewrite, apply_patterns

LARGE = 1e30
"""Far beyond any activation, and its sums and small multiples stay inside float32."""


class BoundInfinitiesPass(ModulePass):
    """An infinite element of an f32 constant becomes 1e30 of its sign."""

    name = "bound-infinities"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {ConstantOp: bound})


def bound(op: ConstantOp, rewrite: Rewrite) -> None:
    """A constant without infinities stays as it is."""
    array = rewrite.weights.array(op.values)
    if array.dtype != np.float32 or not np.isinf(array).any():
        return
    finite = np.where(np.isinf(array), np.copysign(np.float32(LARGE), array), array)
    values = rewrite.weights.attribute(finite)
    rewrite.replace(op, ConstantOp.make(values=values, origin=origin_of_op(op)))
