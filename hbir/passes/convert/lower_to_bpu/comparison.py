"""Comparisons of two tensors, and choices; with a number on one side comparisons are tables."""

from __future__ import annotations

from xdsl.ir import Operation

from hbir.dialects.bpu.comparison import CompareOp
from hbir.dialects.bpu.comparison import WhereOp as BpuWhereOp
from hbir.dialects.hbir.comparison import ComparisonOp, WhereOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.kernels.parameters import compare_parameters
from hbir.passes.constraints.comparison import COMPARISON_OPS
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction


def lower_comparison(op: ComparisonOp, lowering: Lowering) -> TensorOp:
    """bpu.compare, whose values are the result's integers of 0 and 1."""
    x, y = lowering.quantized(op.lhs), lowering.quantized(op.rhs)
    result = lowering.result
    new = CompareOp.make(
        x.value,
        y.value,
        element=lowering.element,
        mode=op.name.partition(".")[2],
        zero_points=[x.zero_point, y.zero_point],
        **compare_parameters(
            x.scale, y.scale, result.scale, result.zero_point, dtype=lowering.dtype
        ),
    )
    return lowering.finish(new)


def lower_where(op: WhereOp, lowering: Lowering) -> TensorOp:
    """bpu.where, of tensors with the result's scale (`unify-scales` sees to it)."""
    condition = lowering.quantized(op.condition)
    x, y = lowering.quantized(op.lhs), lowering.quantized(op.rhs)
    if not x.quantization == y.quantization == lowering.result:
        raise HbirError("its operands and result have several scales; unify-scales comes first")
    new = BpuWhereOp.make(
        condition.value, x.value, y.value, condition_zero_point=condition.zero_point
    )
    return lowering.finish(new)


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    **dict.fromkeys(COMPARISON_OPS, lower_comparison),
    WhereOp: lower_where,
}
