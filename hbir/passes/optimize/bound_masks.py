"""Make constant masks such that 8 bits hold them: what hides keys from a softmax, and what doesn't.

A constant added to scores may hold −100, −10000 or −10³⁰ where a key may not be seen, beside biases
between −3 and 3 where it may. One scale can't hold both.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from hbir.dialects.hbir.elementwise import AddOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.passes.graph import derive_origin
from hbir.passes.softmax_ranges import COARSEST_MASK, MASK_DEPTH, softmaxes_alone_read


class BoundMasksPass(ModulePass):
    """A mask that softmaxes alone see is 0 and −1000; other summands in it are added before."""

    name = "bound-masks"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {AddOp: bound})


def bound(op: AddOp, rewrite: Rewrite) -> None:
    """x + c: c's elements more than `MASK_DEPTH` below its largest are what hides.

    e^-1000 is 0 in float32, as is what it stands for unless scores differ by hundreds.
    """
    for value, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        array = rewrite.constant_value(other)
        if array is None or array.size == 0 or not softmaxes_alone_read(op.output):
            continue
        hidden = array < array.max() - MASK_DEPTH
        seen = np.where(hidden, 0, array).astype(np.float32)
        mask = np.where(hidden, -COARSEST_MASK, 0).astype(np.float32)
        if not hidden.any() or np.array_equal(array, mask):
            continue
        if seen.any():
            first: Operation = AddOp.make(value, rewrite.constant(seen, before=op))
            derive_origin(first, op, "unmasked")
            value = rewrite.insert(first, before=op).results[0]
        rewrite.replace(op, AddOp.make(value, rewrite.constant(mask, before=op)))
        return
