"""Fake-quantize the constant operands of element-wise ops and of concat.

Weights aren't touched: `lower-to-bpu` quantizes them per output channel. Neither are single
numbers, which go into a table, nor slopes, which go into multipliers.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue, Use
from xdsl.passes import ModulePass

from hbir.dialects.hbir.comparison import ComparisonOp, WhereOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, MulOp, SubOp
from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.dialects.hbir.linear import MatmulOp
from hbir.dialects.hbir.move import ConcatOp
from hbir.ir.function import functions_of
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array
from hbir.passes.constraints import broken_constraint
from hbir.passes.dtypes import BITS
from hbir.passes.fake_quant import (
    FLOAT16,
    copy_fake_quant,
    fake_quants_of,
    insert_fake_cast,
    insert_fake_quant,
    quantization_at,
    quantization_of,
    symmetric_range,
)
from hbir.passes.sampling import coordinates_read
from hbir.passes.scalars import scalar_operand
from hbir.passes.ties import INDEXING_OPS

QUANTIZED_OPERANDS = (
    BinaryOp,
    ComparisonOp,
    MatmulOp,
    WhereOp,
    ConcatOp,
    *INDEXING_OPS,
    GridSampleOp,
)


class QuantizeConstantsPass(ModulePass):
    """Symmetric, of the largest magnitude, as wide as the other operand or the result; for what
    keeps its operands' integers as the result."""

    name = "quantize-constants"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        for function in functions_of(op):
            for inner in list(function.body.block.ops):
                if isinstance(inner, QUANTIZED_OPERANDS) and broken_constraint(inner) is None:
                    _quantize_operands(inner, rewrite)


def _quantize_operands(op: Operation, rewrite: Rewrite) -> None:
    if isinstance(op, BinaryOp | ComparisonOp) and scalar_operand(op, rewrite.weights) is not None:
        return
    for index, value in enumerate(op.operands):
        array = rewrite.constant_value(value)
        if array is None or array.dtype != np.float32 or not isinstance(value.owner, ConstantOp):
            continue
        uses = [use for use in value.uses if use.operation is op and use.index == index]
        if isinstance(op, GridSampleOp) and index == 1:
            _quantize_grid(op, array, uses, rewrite)
            continue
        is_condition = isinstance(op, WhereOp) and index == 0
        if isinstance(op, AddOp | SubOp | MulOp | MatmulOp | ComparisonOp) or is_condition:
            if not is_condition and _is_float(op):
                insert_fake_cast(rewrite, value, uses)
                continue
            bits = 8 if is_condition else _widest(op.operands[1 - index], op.results[0])
            low, high = symmetric_range((float(array.min()), float(array.max())), bits)
            insert_fake_quant(rewrite, value, uses, minimum=low, maximum=high, bits=bits)
            continue
        likes = fake_quants_of(op.results[0])
        if likes:
            copy_fake_quant(rewrite, value, uses, likes[0])


def _quantize_grid(op: GridSampleOp, grid: Array, uses: list[Use], rewrite: Rewrite) -> None:
    bits = max(BITS)
    found = coordinates_read(op, (float(grid.min()), float(grid.max())))
    low, high = symmetric_range(found, bits)
    insert_fake_quant(rewrite, op.grid, uses, minimum=low, maximum=high, bits=bits)


def _is_float(op: Operation) -> bool:
    """Whether an op computes in float16: operands or the result are."""
    if isinstance(op, MatmulOp):
        return False
    results = map(quantization_of, fake_quants_of(op.results[0]))
    return FLOAT16 in (*map(quantization_at, op.operands), *results)


def _widest(other: SSAValue, result: SSAValue) -> int:
    """The bits of the other operand or of the result, whichever has more."""
    quantizations = [quantization_at(other), *map(quantization_of, fake_quants_of(result))]
    return max([8, *(how.bits for how in quantizations if how is not None and not how.is_float)])
