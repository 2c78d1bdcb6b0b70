"""Compose tables and requantizations that follow each other into one table, bit for bit.

Both are functions of one int8, so their composition is a table too: entry i is what the second
gives for what the first gives for i, though that may be an int16.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.bpu.lut import LutOp
from hbir.dialects.bpu.requantize import RescaleOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import SI8, Array, element_of
from hbir.kernels.table import execute
from hbir.passes.graph import defined_by


class FoldRequantizePass(ModulePass):
    """lut and rescale of a lut or rescale that nothing else reads become one lut."""

    name = "fold-requantize"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {LutOp: fold, RescaleOp: fold})


def fold(op: LutOp | RescaleOp, rewrite: Rewrite) -> None:
    """The first of the two must read si8."""
    first = defined_by(op.x, LutOp) or defined_by(op.x, RescaleOp)
    if first is None or not op.x.has_one_use():
        return
    if element_of(first.x) != SI8:
        return
    every_code = np.arange(-128, 128, dtype=np.int8)
    between = _apply(first, every_code, rewrite)
    table = None if between is None else _apply(op, between, rewrite)
    if table is None:
        return
    new = LutOp.make(first.x, rewrite.constant(table, before=op))
    rewrite.replace(op, new, also=[first])


def _apply(op: LutOp | RescaleOp, codes: Array, rewrite: Rewrite) -> Array | None:
    operands = [rewrite.constant_value(value) for value in op.operands[1:]]
    constants = [operand for operand in operands if operand is not None]
    if len(constants) != len(operands):
        return None
    return execute(op.name, [codes, *constants], op.params())
