"""Chains of functions of one element, as a 256-entry table; prelu, with a slope per channel."""

from __future__ import annotations

import numpy as np
from xdsl.ir import Operation

from hbir.dialects.bpu.elementwise import PreluOp as BpuPreluOp
from hbir.dialects.bpu.lut import LutOp
from hbir.dialects.hbir.activation import PreluOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.ir.types import shape_of
from hbir.kernels.parameters import lut_table, prelu_parameters
from hbir.passes.convert.lower_to_bpu.lowering import ELEMENT, Lowering, LoweringFunction
from hbir.passes.tables import chain_function, table_operand


def lower_chain(chain: list[TensorOp], lowering: Lowering) -> TensorOp:
    """bpu.lut with the chain's function at every input integer."""
    weights = lowering.rewrite.weights
    operand = table_operand(chain[0], weights)
    if operand is None:
        raise HbirError("it is not a function of one element")
    x = lowering.quantized(operand)
    table = lut_table(
        chain_function(chain, weights),
        input_scale=x.scale,
        input_zero_point=x.zero_point,
        output_scale=lowering.result.scale,
        output_zero_point=lowering.result.zero_point,
    )
    return lowering.finish(LutOp.make(x.value, lowering.constant(table, name="table")))


def lower_prelu(op: PreluOp, lowering: Lowering) -> TensorOp:
    """bpu.prelu with a slope per channel."""
    x = lowering.quantized(op.x)
    slopes = lowering.rewrite.constant_value(op.slope)
    if slopes is None:
        raise HbirError("its slopes are not constants")
    channels = shape_of(op.x)[-1]
    per_channel = np.broadcast_to(slopes.reshape(-1), (channels,))
    parameters, slope = prelu_parameters(x.scale, lowering.result.scale, per_channel)
    new = BpuPreluOp.make(
        x.value,
        lowering.constant(slope, name="slopes"),
        element=ELEMENT,
        input_zero_point=x.zero_point,
        output_zero_point=lowering.result.zero_point,
        **parameters,
    )
    return lowering.finish(new)


LOWERINGS: dict[type[Operation], LoweringFunction] = {PreluOp: lower_prelu}
