"""Make masks such that 8 bits hold them: what hides keys from a softmax, and what doesn't.

A constant added to scores may hold −100, −10000 or −10³⁰ where a key may not be seen, beside biases
between −3 and 3 where it may. One scale can't hold both. A computed mask is a factor of such size
times 0 or 1; the rounding of a 0 must not become a mask itself.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.comparison import WhereOp
from hbir.dialects.hbir.elementwise import AddOp, MulOp, SubOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import F32, element_of, shape_of
from hbir.passes.graph import derive_origin, splat
from hbir.passes.softmax_ranges import COARSEST_MASK, MASK_DEPTH, softmaxes_alone_read

_FACTOR = 1e6
"""Factors beyond it are not activations' own; that of a computed mask is 1e9 or more."""


class BoundMasksPass(ModulePass):
    """What a mask adds becomes −1000, a choice becomes a sum; biases in a mask are added before."""

    name = "bound-masks"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {AddOp: bound, MulOp: bound_factor, WhereOp: choice_to_sum})


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


def bound_factor(op: MulOp, rewrite: Rewrite) -> None:
    """x · c, added to scores, c being −1e9 or the least float: x is 0 or 1, so −1000 does too."""
    for value, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        number = splat(rewrite.constant_value(other))
        if number is None or number > -_FACTOR or not _masks_alone_read(op.output):
            continue
        factor = np.full(shape_of(other), -COARSEST_MASK, np.float32)
        rewrite.replace(op, MulOp.make(value, rewrite.constant(factor, before=op)))
        return


def choice_to_sum(op: WhereOp, rewrite: Rewrite) -> None:
    """where(c, x, −10000) is x + (−1000 where not c); so is where(c, −10000, x), the other way."""
    for value, other, hides in ((op.lhs, op.rhs, False), (op.rhs, op.lhs, True)):
        number = splat(rewrite.constant_value(other))
        if number is None or number > -MASK_DEPTH or not softmaxes_alone_read(op.output):
            continue
        if element_of(op.condition) != F32 or shape_of(value) != shape_of(op.output):
            continue
        # The condition is 0 or 1, see represent-bools.
        factor = np.array(-COARSEST_MASK if hides else COARSEST_MASK, np.float32)
        mask: Operation = MulOp.make(op.condition, rewrite.constant(factor, before=op))
        derive_origin(mask, op, "hidden" if hides else "seen")
        rewrite.insert(mask, before=op)
        if not hides:
            mask = SubOp.make(mask.results[0], rewrite.constant(factor, before=op))
            derive_origin(mask, op, "hidden")
            rewrite.insert(mask, before=op)
        rewrite.replace(op, AddOp.make(value, mask.results[0]))
        return


def _masks_alone_read(value: SSAValue) -> bool:
    """Whether a value, perhaps moved, is added to nothing but what softmaxes alone read."""
    readers = [use.operation for use in value.uses]
    return bool(readers) and all(
        softmaxes_alone_read(reader.output)
        if isinstance(reader, AddOp)
        else isinstance(reader, ReshapeOp | TransposeOp) and _masks_alone_read(reader.output)
        for reader in readers
    )
