"""What reads and computes float16 on marches that have it; everything else takes integers.

Published is that TAE multiplies integers and gives float, and that the vector engine computes in
it. Calibration asks, so that it places integers where these say so, `verify-qat` checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from xdsl.ir import Operation

from hbir.dialects.hbir.argmax import ReduceArgmaxOp, ReduceArgminOp
from hbir.dialects.hbir.conv import Conv2dOp, ConvTransposeOp
from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.dialects.hbir.linear import LinearOp, MatmulOp
from hbir.dialects.hbir.topk import TopkOp
from hbir.passes.constraints import ConstraintTable, cure_of, rule_of

INTEGER_PRODUCTS = (
    "TAE multiplies integers and gives float16: use int8 or int16 for its inputs and float16 for"
    " its output"
)

Float16Constraint: TypeAlias = Callable[[Operation, int], str | None]


def constraint_integer_products(op: Operation, operand: int) -> str | None:
    """TAE multiplies integers and gives float16: the operands of a convolution, linear layer or
    matmul are int8 or int16.

    Use int8 or int16 for its inputs and float16 for its output.
    """
    return f"operand {operand} is float16" if operand < 2 else None


def constraint_integer_order(op: Operation, operand: int) -> str | None:
    """Argmax and top-k order integers: their operand is int8 or int16.

    Use int16 for what it reads.
    """
    return f"operand {operand} is float16"


def constraint_integer_positions(op: Operation, operand: int) -> str | None:
    """The positions where grid_sample reads are int8 or int16.

    Use int16 for them, its input1; its input0 may be float16.
    """
    return f"operand {operand} is float16" if operand == 1 else None


FLOAT16_CONSTRAINTS: dict[type[Operation], Float16Constraint] = {
    **dict.fromkeys((Conv2dOp, ConvTransposeOp, LinearOp, MatmulOp), constraint_integer_products),
    **dict.fromkeys((ReduceArgmaxOp, ReduceArgminOp, TopkOp), constraint_integer_order),
    GridSampleOp: constraint_integer_positions,
}
"""Ops that read integers only; those that aren't here take float16 wherever they take a tensor."""


def broken_float16_constraint(op: Operation, operand: int) -> str | None:
    """Why the op can't read an operand as float16, and what helps; None when it can."""
    constraint = FLOAT16_CONSTRAINTS.get(type(op))
    found = None if constraint is None else constraint(op, operand)
    if constraint is None or found is None:
        return None
    return f"{rule_of(constraint)}; {found}. {cure_of(constraint)}"


CONSTRAINTS: ConstraintTable = {}
