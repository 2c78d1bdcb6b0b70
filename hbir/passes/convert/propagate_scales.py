"""Give every tensor that a BPU op keeps the scale of its operand a fake-quant that says so.

After this, a value is quantized once for all its readers, and results of scale-keeping ops carry
their operand's fake-quant (or give theirs to the operand, where only the result had one).
"""

from __future__ import annotations

import math

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from hbir.dialects.hbir.comparison import ComparisonOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.ir.function import body_of, functions_of
from hbir.ir.rewriter import Rewrite
from hbir.passes.constraints import broken_constraint
from hbir.passes.fake_quant import (
    FLOAT16,
    FakeQuantOp,
    copy_fake_quant,
    fake_quant_at,
    fake_quants_of,
    insert_fake_quant,
    is_fake_quant,
    quantization_at,
    quantization_of,
    redirect,
)
from hbir.passes.ties import KEEPING_OPS, scale_sources


class PropagateScalesPass(ModulePass):
    """Insert fake-quants along scale-keeping ops; make readers of a quantized value share it."""

    name = "propagate-scales"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        for function in functions_of(op):
            _propagate_backwards(function, rewrite)
            _propagate_forwards(function, rewrite)


def _propagate_backwards(function: FuncOp, rewrite: Rewrite) -> None:
    """A keeping op whose result alone is quantized quantizes its operand alike."""
    for op in reversed(list(body_of(function).ops)):
        if not isinstance(op, KEEPING_OPS) or broken_constraint(op) is not None:
            continue
        mine = fake_quants_of(op.output)
        if len(mine) != 1 or fake_quant_at(op.x) is not None:
            continue
        if not fake_quants_of(op.x) and not isinstance(op.x.owner, ConstantOp):
            uses = [use for use in op.x.uses if use.operation is op]
            copy_fake_quant(rewrite, op.x, uses, mine[0])


def _propagate_forwards(function: FuncOp, rewrite: Rewrite) -> None:
    for op in list(body_of(function).ops):
        if op.name.partition(".")[0] != "hbir" or isinstance(op, ConstantOp):
            continue
        if broken_constraint(op) is not None:
            continue
        value = op.results[0]
        mine = fake_quants_of(value)
        if mine:
            _share(value, mine)
            continue
        if isinstance(op, ComparisonOp) and _reads_integers(op):
            insert_fake_quant(rewrite, value, list(value.uses), minimum=0.0, maximum=1.0)
            continue
        like = _widest_source(op)
        if like is not None:
            copy_fake_quant(rewrite, value, list(value.uses), like)


def _reads_integers(op: ComparisonOp) -> bool:
    """Whether what a comparison compares is quantized; training places no fake-quant behind it."""
    sides = [value for value in op.operands if not isinstance(value.owner, ConstantOp)]
    return all(quantization_at(value) not in (None, FLOAT16) for value in sides)


def _share(value: SSAValue, fake_quants: list[FakeQuantOp]) -> None:
    """Readers of the float value read the fake-quantized one: it is computed as integers."""
    first = fake_quants[0]
    others = [use for use in value.uses if not is_fake_quant(use.operation)]
    if others and isinstance(value.owner, Operation) and value.owner.next_op is not first:
        first.detach()  # readers may stand before it
        Rewriter.insert_op(first, InsertPoint.after(value.owner))
    redirect(others, first.output)


def _widest_source(op: Operation) -> FakeQuantOp | None:
    """The fake-quant of the op's scale sources; of several, float16, or that of the widest range.

    None unless every source that isn't a constant is fake-quantized.
    """
    sources = [v for v in scale_sources(op) if not isinstance(v.owner, ConstantOp)]
    found = [fake_quant_at(value) for value in sources]
    known = [fake_quant for fake_quant in found if fake_quant is not None]
    if not known or len(known) != len(found):
        return None
    return max(known, key=_width)


def _width(op: FakeQuantOp) -> float:
    if quantization_of(op) == FLOAT16:
        return math.inf
    params = op.params()
    return params["max"][0] - params["min"][0]
