"""Addition, subtraction, multiplication, maximum and minimum of two tensors, or with a number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from xdsl.ir import Operation

from hbir.dialects.bpu.elementwise import AddOp as BpuAddOp
from hbir.dialects.bpu.elementwise import MaxOp as BpuMaxOp
from hbir.dialects.bpu.elementwise import MinOp as BpuMinOp
from hbir.dialects.bpu.elementwise import MulOp as BpuMulOp
from hbir.dialects.bpu.lut import LutOp
from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, MaxOp, MinOp, MulOp, SubOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.ir.types import Array
from hbir.kernels.parameters import add_parameters, lut_table, mul_parameters
from hbir.passes.convert.lower_to_bpu.lowering import ELEMENT, Lowering, LoweringFunction
from hbir.passes.scalars import scalar_operand

_SCALAR_FUNCTIONS: dict[type[BinaryOp], Callable[[Array, Array], Array]] = {
    AddOp: np.add,
    SubOp: np.subtract,
    MulOp: np.multiply,
    MaxOp: np.maximum,
    MinOp: np.minimum,
}


def _with_number(op: BinaryOp, lowering: Lowering) -> TensorOp | None:
    """bpu.lut for x + 3, 1 − x, …: exact to half a step, whatever the number."""
    scalar = scalar_operand(op, lowering.rewrite.weights)
    if scalar is None:
        return None
    value, number, number_is_left = scalar
    function, constant = _SCALAR_FUNCTIONS[type(op)], np.float64(number)
    x = lowering.quantized(value)

    def compute(codes: Array) -> Array:
        filled = np.full_like(codes, constant)
        return function(filled, codes) if number_is_left else function(codes, filled)

    table = lut_table(
        compute,
        input_scale=x.scale,
        input_zero_point=x.zero_point,
        output_scale=lowering.result.scale,
        output_zero_point=lowering.result.zero_point,
    )
    return lowering.finish(LutOp.make(x.value, lowering.constant(table, name="table")))


def lower_add(op: AddOp | SubOp, lowering: Lowering) -> TensorOp:
    """bpu.add; a subtraction has a negative second multiplier."""
    table = _with_number(op, lowering)
    if table is not None:
        return table
    x, y = lowering.quantized(op.lhs), lowering.quantized(op.rhs)
    parameters = add_parameters(
        x.scale,
        y.scale,
        lowering.result.scale,
        lhs_zero_point=x.zero_point,
        rhs_zero_point=y.zero_point,
        subtract=isinstance(op, SubOp),
    )
    new = BpuAddOp.make(
        x.value,
        y.value,
        element=ELEMENT,
        output_zero_point=lowering.result.zero_point,
        **parameters,
    )
    return lowering.finish(new)


def lower_mul(op: MulOp, lowering: Lowering) -> TensorOp:
    """bpu.mul."""
    table = _with_number(op, lowering)
    if table is not None:
        return table
    x, y = lowering.quantized(op.lhs), lowering.quantized(op.rhs)
    parameters = mul_parameters(x.scale, y.scale, lowering.result.scale)
    new = BpuMulOp.make(
        x.value,
        y.value,
        element=ELEMENT,
        zero_points=[x.zero_point, y.zero_point],
        output_zero_point=lowering.result.zero_point,
        **parameters,
    )
    return lowering.finish(new)


def lower_select(op: MaxOp | MinOp, lowering: Lowering) -> TensorOp:
    """bpu.max or bpu.min, of operands with the result's scale (`unify-scales` sees to it)."""
    table = _with_number(op, lowering)
    if table is not None:
        return table
    x, y = lowering.quantized(op.lhs), lowering.quantized(op.rhs)
    if not x.quantization == y.quantization == lowering.result:
        raise HbirError("its operands and result have several scales; unify-scales comes first")
    kind = BpuMaxOp if isinstance(op, MaxOp) else BpuMinOp
    return lowering.finish(kind.make(x.value, y.value))


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    AddOp: lower_add,
    SubOp: lower_add,
    MulOp: lower_mul,
    MaxOp: lower_select,
    MinOp: lower_select,
}
