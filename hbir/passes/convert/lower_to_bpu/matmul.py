"""Products of two activations, as bpu.matmul.

The machine reads the right side transposed, which is an op of its own before it (TRANS moves it),
and without a zero point: a right side that has one is requantized first.
"""

from __future__ import annotations

import numpy as np
from xdsl.ir import Operation

from hbir.dialects.bpu.matmul import MatmulOp as BpuMatmulOp
from hbir.dialects.bpu.move import TransposeOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.linear import MatmulOp
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin
from hbir.ir.types import shape_of
from hbir.kernels.parameters import mul_parameters
from hbir.kernels.quantize import range_of, scale_and_zero_point
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction, Quantized
from hbir.passes.convert.lower_to_bpu.move import rescale
from hbir.passes.fake_quant import Quantization, symmetric_range


def lower_matmul(op: MatmulOp, lowering: Lowering) -> TensorOp:
    """bpu.matmul of the left side and the right side's transpose."""
    x = lowering.integers(op.lhs)
    y = _centred(_transposed(lowering.integers(op.rhs), lowering), lowering)
    how = lowering.result
    scale: float = op.params()["scale"]
    new = BpuMatmulOp.make(
        x.value,
        y.value,
        element=lowering.element,
        lhs_zero_point=x.zero_point,
        output_zero_point=how.zero_point,
        scale=scale,
        **mul_parameters(x.scale, y.scale * scale, how.scale, output_bits=how.bits),
    )
    return lowering.finish(new)


def _centred(y: Quantized, lowering: Lowering) -> Quantized:
    """`y` with zero point 0, requantized to the least scale that holds its range."""
    if y.zero_point == 0:
        return y
    bits = y.quantization.bits
    low, high = symmetric_range(range_of(bits, y.scale, y.zero_point), bits)
    scale, _ = scale_and_zero_point(bits, low, high)
    how = Quantization(float(scale), 0, bits)
    requantized = rescale(y, how, lowering)
    return lowering.step(requantized, Quantized(y.value, how), "centred")


def _transposed(y: Quantized, lowering: Lowering) -> Quantized:
    """The last two axes of `y` exchanged; of a constant right away."""
    rank = len(shape_of(y.value))
    dims = [*range(rank - 2), rank - 1, rank - 2]
    array = lowering.rewrite.constant_value(y.value)
    if array is None:
        return lowering.step(TransposeOp.make(y.value, dims=dims), y, "transposed")
    moved = np.ascontiguousarray(array.transpose(dims))
    origin = Origin("").quantized(y.scale, y.zero_point)
    values = lowering.rewrite.weights.attribute(moved)
    constant = lowering.insert(ConstantOp.make(values=values, origin=origin))
    return Quantized(constant.output, y.quantization)


LOWERINGS: dict[type[Operation], LoweringFunction] = {MatmulOp: lower_matmul}
