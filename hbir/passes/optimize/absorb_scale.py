"""Put multiplications by a number into the matrix product before or after them.

The product of two activations is requantized anyway, and its multiplier can hold the number: the
scale of attention costs nothing.
"""

from __future__ import annotations

import math
from typing import Any

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.elementwise import MulOp
from hbir.dialects.hbir.linear import MatmulOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.passes.graph import defined_by, derive_origin, is_constant, splat


class AbsorbScalePass(ModulePass):
    """matmul(x · c, y) and matmul(x, y) · c become matmul(x, y) {scale = c} for numbers c > 0."""

    name = "absorb-scale"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {MatmulOp: absorb_operand, MulOp: absorb_result})


def absorb_result(op: MulOp, rewrite: Rewrite) -> None:
    """A product that nothing else reads, times a number."""
    for value, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        matmul, number = defined_by(value, MatmulOp), _number(other, rewrite)
        if matmul is None or number is None or not value.has_one_use():
            continue
        if shape_of(op.output) != shape_of(value):
            continue
        scale = matmul.params()["scale"] * number
        rewrite.replace(op, MatmulOp.make(matmul.lhs, matmul.rhs, scale=scale), also=[matmul])
        return


def absorb_operand(op: MatmulOp, rewrite: Rewrite) -> None:
    """An operand times a number, perhaps moved in between; the product alone reads it."""
    for index, operand in enumerate(op.operands):
        moves, product = _above(operand)
        found = None if product is None else _scaled(product, rewrite)
        if product is None or found is None:
            continue
        value, number = found
        for move in reversed(moves):
            properties: dict[str, Any] = dict(move.properties)
            again = type(move).make(value, **properties)
            derive_origin(again, move, "unscaled")
            value = rewrite.insert(again, before=op).output
        operands = [value if i == index else other for i, other in enumerate(op.operands)]
        scale = op.params()["scale"] * number
        rewrite.replace(op, MatmulOp.make(*operands, scale=scale), also=[*moves, product])
        return


def _above(value: SSAValue) -> tuple[list[ReshapeOp | TransposeOp], MulOp | None]:
    """The moves between a value and the multiplication it comes from, last first."""
    moves: list[ReshapeOp | TransposeOp] = []
    while value.has_one_use() and isinstance(value.owner, ReshapeOp | TransposeOp):
        moves.append(value.owner)
        value = value.owner.x
    owner: Operation | None = defined_by(value, MulOp) if value.has_one_use() else None
    return moves, owner if isinstance(owner, MulOp) else None


def _scaled(op: MulOp, rewrite: Rewrite) -> tuple[SSAValue, float] | None:
    for value, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        number = _number(other, rewrite)
        same_shape = shape_of(value) == shape_of(op.output)
        if number is not None and same_shape and not is_constant(value):
            return value, number
    return None


def _number(value: SSAValue, rewrite: Rewrite) -> float | None:
    number = splat(rewrite.constant_value(value))
    return number if number is not None and 0 < number < math.inf else None
