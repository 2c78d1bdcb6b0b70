"""Chains of functions of one element, as a 256-entry table; prelu, with a slope per channel."""

from __future__ import annotations

import numpy as np
from xdsl.ir import Operation, SSAValue

from hbir.dialects.bpu.elementwise import PreluOp as BpuPreluOp
from hbir.dialects.bpu.lut import LutOp
from hbir.dialects.hbir.activation import PreluOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.ir.types import shape_of
from hbir.kernels.lut_tables import lut_table
from hbir.kernels.parameters import prelu_parameters
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction
from hbir.passes.tables import ElementFunction, chain_function, table_operand


def lower_chain(chain: list[TensorOp], lowering: Lowering) -> TensorOp:
    """bpu.lut with the chain's function at every input integer."""
    weights = lowering.rewrite.weights
    operand = table_operand(chain[0], weights)
    if operand is None:
        raise HbirError("it is not a function of one element")
    return lower_function(chain_function(chain, weights), operand, lowering)


def lower_function(function: ElementFunction, operand: SSAValue, lowering: Lowering) -> TensorOp:
    """bpu.lut with a float64 function at every input integer: 256 results, or for si16 segments."""
    x = lowering.quantized(operand)
    table = lut_table(
        function,
        input_scale=x.scale,
        input_zero_point=x.zero_point,
        input_dtype=x.dtype,
        output_scale=lowering.result.scale,
        output_zero_point=lowering.result.zero_point,
        dtype=lowering.dtype,
    )
    new = LutOp.make(x.value, lowering.constant(table, name="table"), element=lowering.element)
    return lowering.finish(new)


def lower_prelu(op: PreluOp, lowering: Lowering) -> TensorOp:
    """bpu.prelu with a slope per channel."""
    x = lowering.quantized(op.x)
    slopes = lowering.rewrite.constant_value(op.slope)
    if slopes is None:
        raise HbirError("its slopes are not constants")
    channels = shape_of(op.x)[-1]
    per_channel = np.broadcast_to(slopes.reshape(-1), (channels,))
    parameters, slope = prelu_parameters(
        x.scale, lowering.result.scale, per_channel, output_bits=lowering.result.bits
    )
    new = BpuPreluOp.make(
        x.value,
        lowering.constant(slope, name="slopes"),
        element=lowering.element,
        input_zero_point=x.zero_point,
        output_zero_point=lowering.result.zero_point,
        **parameters,
    )
    return lowering.finish(new)


LOWERINGS: dict[type[Operation], LoweringFunction] = {PreluOp: lower_prelu}
