"""Addition, subtraction, multiplication, maximum and minimum of two tensors.

With a number on one side they are tables, which `activation.py` lowers.
"""

from __future__ import annotations

from xdsl.ir import Operation

from hbir.dialects.bpu.elementwise import AddOp as BpuAddOp
from hbir.dialects.bpu.elementwise import MaxOp as BpuMaxOp
from hbir.dialects.bpu.elementwise import MinOp as BpuMinOp
from hbir.dialects.bpu.elementwise import MulOp as BpuMulOp
from hbir.dialects.hbir.elementwise import AddOp, MaxOp, MinOp, MulOp, SubOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.kernels.parameters import add_parameters, mul_parameters
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction


def lower_add(op: AddOp | SubOp, lowering: Lowering) -> TensorOp:
    """bpu.add; a subtraction has a negative second multiplier."""
    x, y = lowering.quantized(op.lhs), lowering.quantized(op.rhs)
    parameters = add_parameters(
        x.scale,
        y.scale,
        lowering.result.scale,
        lhs_zero_point=x.zero_point,
        rhs_zero_point=y.zero_point,
        subtract=isinstance(op, SubOp),
        output_bits=lowering.result.bits,
        lhs_bits=8 * x.dtype.itemsize,
        rhs_bits=8 * y.dtype.itemsize,
    )
    new = BpuAddOp.make(
        x.value,
        y.value,
        element=lowering.element,
        output_zero_point=lowering.result.zero_point,
        **parameters,
    )
    return lowering.finish(new)


def lower_mul(op: MulOp, lowering: Lowering) -> TensorOp:
    """bpu.mul."""
    x, y = lowering.quantized(op.lhs), lowering.quantized(op.rhs)
    parameters = mul_parameters(
        x.scale, y.scale, lowering.result.scale, output_bits=lowering.result.bits
    )
    new = BpuMulOp.make(
        x.value,
        y.value,
        element=lowering.element,
        zero_points=[x.zero_point, y.zero_point],
        output_zero_point=lowering.result.zero_point,
        **parameters,
    )
    return lowering.finish(new)


def lower_select(op: MaxOp | MinOp, lowering: Lowering) -> TensorOp:
    """bpu.max or bpu.min, of operands with the result's scale (`unify-scales` sees to it)."""
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
