"""Ops that compute in float16: those whose operands, or whose result, are.

Integers among the operands become float16 first, and where the result is integers it is quantized
last. A function of one element is a table, as for integers, from whatever form to whatever form;
where it is an operation with a number that is a float16, the operation itself, which has the same
bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.ir import Operation, SSAValue

from hbir.dialects.bpu import float16 as bpu
from hbir.dialects.bpu.elementwise import MaxOp as BpuMaxOp
from hbir.dialects.bpu.elementwise import MinOp as BpuMinOp
from hbir.dialects.bpu.lut import LutOp
from hbir.dialects.bpu.move import TransposeOp
from hbir.dialects.hbir.activation import ClipOp, PreluOp, ReluOp
from hbir.dialects.hbir.comparison import ComparisonOp
from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, MaxOp, MinOp, MulOp, SubOp
from hbir.dialects.hbir.layernorm import LayernormOp, RmsNormOp
from hbir.dialects.hbir.norm import SoftmaxOp
from hbir.dialects.hbir.pool import AvgPoolOp
from hbir.dialects.hbir.reduce import ReduceMeanOp, ReduceSumOp
from hbir.dialects.qnt import DequantizeOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.ir.types import F16, element_of, shape_of
from hbir.kernels.float16.rounding import FLOAT16_MAX, to_float16
from hbir.kernels.lut_tables import whole_table
from hbir.passes.constraints.comparison import COMPARISON_OPS
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction, Quantized
from hbir.passes.convert.lower_to_bpu.move import rescale
from hbir.passes.fake_quant import FLOAT16
from hbir.passes.pads import explicit_pads, overhang
from hbir.passes.scalars import scalar_operand
from hbir.passes.tables import chain_function, table_operand


def is_float16(op: TensorOp, chain: list[TensorOp], lowering: Lowering) -> bool:
    """Whether an op (or a chain of table ops that it ends) computes in float16."""
    if not chain and type(op) not in FLOAT16_LOWERINGS:
        return False
    operands = (chain[0] if chain else op).operands
    dequantized = [v.owner for v in operands if isinstance(v.owner, DequantizeOp)]
    return lowering.output == FLOAT16 or any(element_of(d.q) == F16 for d in dequantized)


def lower_float16(op: TensorOp, chain: list[TensorOp], lowering: Lowering) -> TensorOp:
    """The op that takes the result's place, not yet inserted."""
    return lower_table(chain, lowering) if chain else FLOAT16_LOWERINGS[type(op)](op, lowering)


def as_float16(value: SSAValue, lowering: Lowering) -> SSAValue:
    """An operand as float16."""
    x = lowering.quantized(value)
    if x.quantization == FLOAT16:
        return x.value
    like = Quantized(x.value, FLOAT16)
    return lowering.step(rescale(x, FLOAT16, lowering), like, "float16").value


def finish(new: TensorOp, lowering: Lowering) -> TensorOp:
    """`new`, which gives float16, as the result is to be."""
    if lowering.result == FLOAT16:
        return lowering.finish(new)
    made = lowering.made(new, FLOAT16, "float16")
    return lowering.finish(rescale(made, lowering.result, lowering))


# ------------------------------------------------------------------- functions of one element


def lower_table(chain: list[TensorOp], lowering: Lowering) -> TensorOp:
    """One operation where the number beside it is a float16, else bpu.lut."""
    weights = lowering.rewrite.weights
    operand = table_operand(chain[0], weights)
    if operand is None:
        raise HbirError("it is not a function of one element")
    x, how = lowering.quantized(operand), lowering.result
    if len(chain) == 1 and x.quantization == how == FLOAT16:
        operation = _operation(chain[0], x.value, lowering)
        if operation is not None:
            return lowering.finish(operation)
    table = whole_table(
        chain_function(chain, weights),
        input_scale=x.scale,
        input_zero_point=x.zero_point,
        input_dtype=x.dtype,
        output_scale=how.scale,
        output_zero_point=how.zero_point,
        dtype=lowering.dtype,
    )
    return lowering.finish(
        LutOp.make(x.value, lowering.constant(table, name="table"), element=how.element)
    )


_OPERATIONS: dict[type[Operation], type[TensorOp]] = {
    AddOp: bpu.FloatAddOp,
    SubOp: bpu.FloatSubOp,
    MulOp: bpu.FloatMulOp,
    MaxOp: BpuMaxOp,
    MinOp: BpuMinOp,
}


def _operation(op: TensorOp, x: SSAValue, lowering: Lowering) -> TensorOp | None:
    """An op of `x` and a number; None where it is another function, or the number no float16."""
    if isinstance(op, ReluOp):
        return BpuMaxOp.make(x, _number(0.0, x, lowering))
    if isinstance(op, ClipOp):
        low, high = op.params()["min"], op.params()["max"]
        if not _is_float16(low) or not _is_float16(high):
            return None
        raised = lowering.finish(BpuMaxOp.make(x, _number(low, x, lowering)))
        return BpuMinOp.make(lowering.insert(raised), _number(high, x, lowering))
    kind = _OPERATIONS.get(type(op))
    if kind is None or not isinstance(op, BinaryOp):
        return None
    found = scalar_operand(op, lowering.rewrite.weights)
    if found is None or not _is_float16(found[1]):
        return None
    _, number, number_is_left = found
    constant = _number(number, x, lowering)
    return kind.make(constant, x) if number_is_left else kind.make(x, constant)


def _is_float16(number: float) -> bool:
    return abs(number) <= FLOAT16_MAX and float(np.float16(number)) == number


def _number(number: float, beside: SSAValue, lowering: Lowering) -> SSAValue:
    shape = (1,) * min(len(shape_of(beside)), 1)
    return lowering.constant(to_float16(np.full(shape, number)))


# ------------------------------------------------------------------- the families


_BINARY: dict[type[Operation], type[TensorOp]] = {
    AddOp: bpu.FloatAddOp,
    SubOp: bpu.FloatSubOp,
    MulOp: bpu.FloatMulOp,
}


def lower_binary(op: AddOp | SubOp | MulOp, lowering: Lowering) -> TensorOp:
    """bpu.float_add, bpu.float_sub, bpu.float_mul."""
    x, y = as_float16(op.lhs, lowering), as_float16(op.rhs, lowering)
    return finish(_BINARY[type(op)].make(x, y), lowering)


def lower_comparison(op: ComparisonOp, lowering: Lowering) -> TensorOp:
    """bpu.float_compare."""
    x, y = as_float16(op.lhs, lowering), as_float16(op.rhs, lowering)
    mode = op.name.partition(".")[2]
    return finish(bpu.FloatCompareOp.make(x, y, mode=mode), lowering)


def lower_prelu(op: PreluOp, lowering: Lowering) -> TensorOp:
    """bpu.float_prelu with a slope per channel, rounded to float16."""
    slopes = lowering.rewrite.constant_value(op.slope)
    if slopes is None:
        raise HbirError("its slopes are not constants")
    per_channel = np.broadcast_to(slopes.reshape(-1), shape_of(op.x)[-1:])
    slope = lowering.constant(to_float16(per_channel), name="slope")
    return finish(bpu.FloatPreluOp.make(as_float16(op.x, lowering), slope), lowering)


def lower_softmax(op: SoftmaxOp, lowering: Lowering) -> TensorOp:
    """bpu.float_softmax over the last dimension; another one is transposed there and back."""
    x = as_float16(op.x, lowering)
    rank = len(shape_of(op.x))
    dim: int = op.params()["dim"] % rank
    if dim == rank - 1:
        return finish(bpu.FloatSoftmaxOp.make(x, dim=dim), lowering)
    swap = list(range(rank))
    swap[dim], swap[-1] = swap[-1], swap[dim]
    like = Quantized(x, FLOAT16)
    moved = lowering.step(TransposeOp.make(x, dims=swap), like, "transposed")
    softmax = bpu.FloatSoftmaxOp.make(moved.value, dim=rank - 1)
    last = lowering.step(softmax, moved, "softmax").value
    return finish(TransposeOp.make(last, dims=swap), lowering)


def lower_norm(op: LayernormOp | RmsNormOp, lowering: Lowering) -> TensorOp:
    """bpu.float_layernorm."""
    columns = [lowering.constant_of(op.weight, 1.0), lowering.constant_of(op.bias, 0.0)]
    shape = shape_of(op.x)[-1:]
    affine = np.stack([np.broadcast_to(column.reshape(-1), shape) for column in columns], axis=-1)
    new = bpu.FloatLayernormOp.make(
        as_float16(op.x, lowering),
        lowering.constant(affine.astype(np.float32), name="affine"),
        epsilon=float(op.params()["eps"]),
        center=isinstance(op, LayernormOp),
    )
    return finish(new, lowering)


def lower_sum(op: ReduceMeanOp | ReduceSumOp, lowering: Lowering) -> TensorOp:
    """bpu.float_reduce_mean, bpu.float_reduce_sum."""
    kind = bpu.FloatReduceMeanOp if isinstance(op, ReduceMeanOp) else bpu.FloatReduceSumOp
    params: dict[str, Any] = op.params()
    rank = len(shape_of(op.x))
    dims = sorted({dim % rank for dim in params["dims"]})
    x = as_float16(op.x, lowering)
    return finish(kind.make(x, dims=dims, keep_dim=params["keep_dim"]), lowering)


def lower_avg_pool(op: AvgPoolOp, lowering: Lowering) -> TensorOp:
    """bpu.float_avg_pool."""
    params, pads = op.params(), explicit_pads(op)
    new = bpu.FloatAvgPoolOp.make(
        as_float16(op.x, lowering),
        kernel=params["kernel"],
        stride=params["stride"],
        pad=pads,
        count_include_pad=not any(pads) or (params["count_include_pad"] and not any(overhang(op))),
    )
    return finish(new, lowering)


FLOAT16_LOWERINGS: dict[type[Operation], Callable[[Any, Lowering], TensorOp]] = {
    **dict.fromkeys((AddOp, SubOp, MulOp), lower_binary),
    **dict.fromkeys(COMPARISON_OPS, lower_comparison),
    PreluOp: lower_prelu,
    SoftmaxOp: lower_softmax,
    LayernormOp: lower_norm,
    RmsNormOp: lower_norm,
    ReduceMeanOp: lower_sum,
    ReduceSumOp: lower_sum,
    AvgPoolOp: lower_avg_pool,
}
"""Ops with arithmetic of their own in float16; those that only move or select have the integers'
lowering."""

LOWERINGS: dict[type[Operation], LoweringFunction] = {}
