"""Fusion groups: conv2d, convtranspose and linear with addition and activation, as bpu.conv2d.

* A transposed convolution is a convolution of the input spread by its stride, kernel flipped, pads
  dilation·(k − 1) − pad.
* A linear layer is a 1×1 convolution of (N, 1, W, C), the input's shape with all leading dimensions
  but the last of them in N.
* A group whose result isn't quantized gives its 32-bit accumulator out, dequantized per channel.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from xdsl.ir import Operation, SSAValue

from hbir.dialects.bpu.conv import Conv2dOp as BpuConv2dOp
from hbir.dialects.bpu.elementwise import MaxOp, MinOp
from hbir.dialects.bpu.move import ReshapeOp
from hbir.dialects.hbir.activation import ClipOp
from hbir.dialects.hbir.conv import Conv2dOp, ConvTransposeOp
from hbir.dialects.hbir.linear import LinearOp
from hbir.dialects.qnt import DequantizeOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.ir.types import F16, SI32, Array, shape_of
from hbir.kernels.float16.rounding import FLOAT16_MAX, to_float16
from hbir.kernels.parameters import clip_bounds
from hbir.passes.convert.lower_to_bpu.integer_weights import Operand, integer_weights
from hbir.passes.convert.lower_to_bpu.lowering import (
    Lowering,
    LoweringFunction,
    Quantized,
)
from hbir.passes.convert.lower_to_bpu.move import rescale
from hbir.passes.fake_quant import FLOAT16
from hbir.passes.gemm import GemmOp
from hbir.passes.groups import FusionGroup, group_ending_at

_RAW_MAX = (1 << 31) - 1


def lower_group(op: TensorOp, lowering: Lowering) -> TensorOp:
    """The bpu.conv2d of the group that ends at `op` (reshaped back or dequantized where needed)."""
    group = group_ending_at(op)
    if group is None:
        raise HbirError("it is not the last op of a fusion group")
    x = _viewed(lowering, lowering.integers(group.gemm.x), group)
    residual = None
    if group.residual is not None:
        residual = _viewed(lowering, lowering.quantized(group.residual), group)
        if residual.quantization.is_float and lowering.output != FLOAT16:
            return _from_float16(op, lowering)
    integers, scales, qpp = integer_weights(
        group.gemm,
        Operand(x.quantization, x.dtype),
        None if residual is None else Operand(residual.quantization, residual.dtype),
        lowering.output,
        lowering.rewrite.weights,
    )
    output = lowering.output
    operands = [
        x.value,
        lowering.constant(integers, name="weights", scale=scales),
        lowering.constant(qpp, name="qpp"),
        *([] if residual is None else [residual.value]),
    ]
    properties: dict[str, Any] = {
        **_geometry(group.gemm),
        "padValue": x.zero_point,
        "clip": _clip(group, lowering),
    }
    shape = shape_of(group.output)
    if output == FLOAT16:
        return _float16(operands, properties, group, lowering)
    if output is None:
        accumulator_scale = (scales.astype(np.float64) * x.scale).astype(np.float32)
        return _raw(operands, properties, accumulator_scale, shape, lowering)
    conv = BpuConv2dOp.make(
        *operands, element=output.element, outputZeroPoint=output.zero_point, **properties
    )
    if shape_of(conv.output) == shape:
        return lowering.finish(conv)
    lowering.finish(conv)
    return lowering.finish(ReshapeOp.make(lowering.insert(conv), shape=list(shape)))


def _raw(
    operands: list[SSAValue],
    properties: dict[str, Any],
    scale: Array,
    shape: tuple[int, ...],
    lowering: Lowering,
) -> TensorOp:
    """The accumulator, and its dequantization with a scale per channel."""
    last: TensorOp = lowering.finish_raw(
        BpuConv2dOp.make(*operands, element=SI32, **properties), scale
    )
    if shape_of(last.output) != shape:
        last = lowering.finish_raw(ReshapeOp.make(last, shape=list(shape)), scale)
    return DequantizeOp.make(last, lowering.constant(scale))


def _float16(
    operands: list[SSAValue], properties: dict[str, Any], group: FusionGroup, lowering: Lowering
) -> TensorOp:
    """The result as float16; bounds that are no whole numbers are ops of their own."""
    last: TensorOp = lowering.finish(BpuConv2dOp.make(*operands, element=F16, **properties))
    if isinstance(group.activation, ClipOp) and properties["clip"] is None:
        params = group.activation.params()
        for kind, bound in ((MaxOp, params["min"]), (MinOp, params["max"])):
            number = lowering.constant(to_float16(np.full((1, 1, 1, 1), bound)))
            last = lowering.finish(kind.make(lowering.insert(last), number))
    shape = shape_of(group.output)
    if shape_of(last.output) == shape:
        return last
    return lowering.finish(ReshapeOp.make(lowering.insert(last), shape=list(shape)))


def _from_float16(op: TensorOp, lowering: Lowering) -> TensorOp:
    """A group whose residual is float16, but not its result: it is computed as float16."""
    last = lowering.insert(lower_group(op, replace(lowering, output=FLOAT16)))
    if lowering.output is None:
        return DequantizeOp.make(last, lowering.constant(np.ones(1, np.float32)))
    return lowering.finish(rescale(Quantized(last.output, FLOAT16), lowering.output, lowering))


def _viewed(lowering: Lowering, x: Quantized, group: FusionGroup) -> Quantized:
    """A linear's (..., C) operand as (N, 1, W, C)."""
    shape = shape_of(x.value)
    if not isinstance(group.gemm, LinearOp):
        return x
    *leading, channels = shape
    rows = leading[-1] if len(leading) > 1 else 1
    view = [prod(leading) // rows, 1, rows, channels]
    if list(shape) == view:
        return x
    return lowering.step(ReshapeOp.make(x.value, shape=view), x, "view")


def _geometry(gemm: GemmOp) -> dict[str, Any]:
    if isinstance(gemm, LinearOp):
        return {}
    params = gemm.params()
    if isinstance(gemm, Conv2dOp):
        return {
            "stride": params["stride"],
            "pad": params["pad"],
            "dilation": params["dilation"],
            "groupNum": params["group_num"],
        }
    reach = [params["dilation"][axis] * (shape_of(gemm.w)[1 + axis] - 1) for axis in range(2)]
    return {
        "inputDilation": params["stride"],
        "pad": [reach[side % 2] - params["pad"][side] for side in range(4)],
        "dilation": params["dilation"],
        "groupNum": params["group_num"],
    }


def _clip(group: FusionGroup, lowering: Lowering) -> tuple[int, int] | None:
    """relu or clip as bounds of the result's integers; None where they bound nothing."""
    if group.activation is None:
        return None
    low, high = 0.0, None
    if isinstance(group.activation, ClipOp):
        low, high = group.activation.params()["min"], group.activation.params()["max"]
    if lowering.output == FLOAT16:
        bounds = low, FLOAT16_MAX if high is None else high
        return None if any(bound % 1 for bound in bounds) else (int(bounds[0]), int(bounds[1]))
    if lowering.output is None:
        return 0, _RAW_MAX  # place-ops lets out no accumulator with an upper bound
    how = lowering.output
    dtype = lowering.dtype
    bounds = clip_bounds(low, high, how.scale, how.zero_point, dtype=dtype)
    limits = np.iinfo(dtype.name)
    return None if bounds == (limits.min, limits.max) else bounds


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    Conv2dOp: lower_group,
    ConvTransposeOp: lower_group,
    LinearOp: lower_group,
}
