"""Requantize operands of concat, max and min to the scale of their result, once, before them."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, Use
from xdsl.passes import ModulePass

from hbir.dialects.hbir.comparison import WhereOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.ir.function import functions_of
from hbir.ir.rewriter import Rewrite
from hbir.passes.constraints import broken_constraint
from hbir.passes.fake_quant import copy_fake_quant, fake_quants_of, quantization_at, quantization_of
from hbir.passes.ties import scale_sources


class UnifyScalesPass(ModulePass):
    """Fake-quantize operands like the result where an op needs one scale and they have another."""

    name = "unify-scales"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        for function in functions_of(op):
            for inner in list(function.body.block.ops):
                if scale_sources(inner) and broken_constraint(inner) is None:
                    _unify(inner, rewrite)


def _unify(op: Operation, rewrite: Rewrite) -> None:
    """A keeping op whose result is quantized otherwise than its operand keeps the operand's scale;
    the requantization then stands behind it. So only ops with several operands change here."""
    fake_quants = fake_quants_of(op.results[0])
    if len(scale_sources(op)) < 2 or not fake_quants:
        return
    like = fake_quants[0]
    wanted = quantization_of(like)
    for value in dict.fromkeys(scale_sources(op)):
        if isinstance(value.owner, ConstantOp) or quantization_at(value) == wanted:
            continue
        uses = [use for use in value.uses if use.operation is op and _keeps(use)]
        copy_fake_quant(rewrite, value, uses, like)


def _keeps(use: Use) -> bool:
    """Whether the operand's scale is the result's: not that of a condition."""
    return not (isinstance(use.operation, WhereOp) and use.index == 0)
