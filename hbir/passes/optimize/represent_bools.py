"""Write truth values as the f32 numbers 0 and 1, so that they are quantized like everything else.

Comparisons get f32 results; and, or, xor and not become min, max, not_equal and 1 − x; casts from
truth values to numbers vanish. What still wants i1 (an output, a CPU op) reads a cast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.base import MoveOp
from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.comparison import (
    ComparisonOp,
    LogicalAndOp,
    LogicalNotOp,
    LogicalOrOp,
    LogicOp,
    NotEqualOp,
    WhereOp,
)
from hbir.dialects.hbir.elementwise import MaxOp, MinOp, SubOp
from hbir.ir.function import body_of, functions_of
from hbir.ir.op import TensorOp
from hbir.ir.origin import origin_of, origin_of_op
from hbir.ir.rewriter import Rewrite, erase_dead_ops
from hbir.ir.types import BOOL, F32, element_of


class RepresentBoolsPass(ModulePass):
    """Compute truth values as f32 0 and 1; i1 is left at outputs, inputs and CPU ops."""

    name = "represent-bools"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            numbers = _Numbers(Rewrite(ctx))
            for inner in list(body_of(function).ops):
                if isinstance(inner, TensorOp):
                    numbers.rewrite_op(inner)
        erase_dead_ops(op)


class _Numbers:
    """Which number stands for each truth value of one function."""

    def __init__(self, rewrite: Rewrite) -> None:
        self._rewrite = rewrite
        self._of: dict[SSAValue, SSAValue] = {}

    def rewrite_op(self, op: TensorOp) -> None:
        """Compute with numbers what `op` computes with truth values, if it does."""
        new = self._on_numbers(op)
        if new is None:
            return
        self._rewrite.insert(new, before=op)
        if element_of(op.output) != BOOL:
            self._rewrite.replace(op, new)
            return
        new.attributes.update(op.attributes)  # the origin too: it is the same tensor
        truth = CastTypeOp.make(new.output, element=BOOL)
        self._rewrite.replace(op, truth)
        self._of[truth.output] = new.output

    def _on_numbers(self, op: TensorOp) -> TensorOp | None:
        if isinstance(op, ComparisonOp):
            if element_of(op.output) == F32:
                return None
            return type(op).make(op.lhs, op.rhs, element=F32)
        if isinstance(op, LogicOp):
            return _logic(op, self._number(op.lhs, op), self._number(op.rhs, op))
        if isinstance(op, LogicalNotOp):
            one = self._rewrite.constant(np.array(1, np.float32), before=op)
            return SubOp.make(one, self._number(op.x, op))
        if isinstance(op, WhereOp):
            return self._where(op)
        if isinstance(op, MoveOp) and element_of(op.operands[0]) == BOOL:
            return self._moved(op)
        if isinstance(op, CastTypeOp) and (element_of(op.x), element_of(op.output)) == (BOOL, F32):
            return self._cast(op)
        return None

    def _where(self, op: WhereOp) -> TensorOp | None:
        if element_of(op.condition) == F32 and element_of(op.output) != BOOL:
            return None
        if element_of(op.output) not in (F32, BOOL):
            return None  # integers are chosen on the CPU
        chosen = [self._number_or_same(value, op) for value in (op.lhs, op.rhs)]
        return WhereOp.make(self._number_or_same(op.condition, op), *chosen)

    def _moved(self, op: MoveOp) -> TensorOp:
        operands: Sequence[SSAValue] = [self._number_or_same(v, op) for v in op.operands]
        properties: dict[str, Any] = dict(op.properties)
        return type(op).make(*operands, **properties)

    def _cast(self, op: CastTypeOp) -> TensorOp | None:
        """Nothing where the number is known; a cast of an input or of a CPU op's result stays."""
        number = self._of.get(op.x)
        if number is not None:
            self._rewrite.replace(op, number)
        return None

    def _number_or_same(self, value: SSAValue, before: Operation) -> SSAValue:
        return self._number(value, before) if element_of(value) == BOOL else value

    def _number(self, value: SSAValue, before: Operation) -> SSAValue:
        """The number that stands for a truth value."""
        if value in self._of:
            return self._of[value]
        constant = self._rewrite.constant_value(value)
        owner = value.owner
        if constant is not None:
            as_float = constant.astype(np.float32)
            return self._rewrite.constant(as_float, before=before, origin=origin_of(value))
        if isinstance(owner, CastTypeOp) and element_of(owner.x) == F32:
            zero = self._rewrite.constant(np.array(0, np.float32), before=before)
            nonzero = NotEqualOp.make(owner.x, zero, origin=origin_of_op(owner), element=F32)
            number = self._rewrite.insert(nonzero, before=before).output
        else:
            cast = CastTypeOp.make(value, element=F32, origin=origin_of(value))
            number = self._rewrite.insert(cast, before=before).output
        self._of[value] = number
        return number


def _logic(op: LogicOp, lhs: SSAValue, rhs: SSAValue) -> TensorOp:
    if isinstance(op, LogicalAndOp):
        return MinOp.make(lhs, rhs)
    if isinstance(op, LogicalOrOp):
        return MaxOp.make(lhs, rhs)
    return NotEqualOp.make(lhs, rhs, element=F32)
