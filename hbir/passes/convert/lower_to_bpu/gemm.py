"""Fusion groups: conv2d, convtranspose and linear with addition and activation, as bpu.conv2d.

* A transposed convolution is a convolution of the input spread by its stride, kernel flipped, pads
  dilation·(k − 1) − pad.
* A linear layer is a 1×1 convolution of (N, 1, W, C), the input's shape with all leading dimensions
  but the last of them in N.
* Where calibration kept the mean of a group's input, the bias makes up for what rounding the
  weights takes from the mean of the output.
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
from hbir.dialects.qnt import ConstFakeQuantOp, DequantizeOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.ir.types import F16, SI32, Array, shape_of
from hbir.ir.weights import WeightStore
from hbir.kernels.float16.rounding import FLOAT16_MAX, to_float16
from hbir.kernels.integer.bounds import RAW_LIMIT, accumulator_bound
from hbir.kernels.parameters import (
    Residual,
    clip_bounds,
    conv_qpp,
    floor_weight_scales,
    quantize_weights,
)
from hbir.kernels.quantize import const_fake_quant, scales_and_zero_points
from hbir.passes.convert.lower_to_bpu.lowering import (
    Lowering,
    LoweringFunction,
    Quantized,
)
from hbir.passes.convert.lower_to_bpu.move import rescale
from hbir.passes.fake_quant import FLOAT16
from hbir.passes.gemm import GemmOp
from hbir.passes.graph import defined_by
from hbir.passes.groups import FusionGroup, group_ending_at
from hbir.passes.observed import input_mean

_RAW_MAX = (1 << 31) - 1
_RAW_MARGIN = 1 / 64
"""How much further below 2^31 a raw accumulator is kept: weights, rounded anew, may come out larger
by half a step each."""


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
    integers, scales, qpp = _integer_weights(group.gemm, x, residual, lowering)
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


# --------------------------------------------------------------------------------------- weights


def _integer_weights(
    gemm: GemmOp, x: Quantized, residual: Quantized | None, lowering: Lowering
) -> tuple[Array, Array, Array]:
    """The integers, scales and `qpp` of a convolution's weights: (Cout, KH, KW, Cin/g), (Cout) and
    (Cout, 3 or 5)."""
    weights, scales, bits = _weights(gemm, lowering)
    bias = None if gemm.bias is None else lowering.rewrite.constant_value(gemm.bias)
    added = None
    if residual is not None and not residual.quantization.is_float:
        how = residual.quantization
        added = Residual(how.scale, how.zero_point, how.bits)
    output = lowering.output
    output_scale = None if output is None else output.scale
    # What the integer bias must hold: the bias, and x's zero point's share of the sum.
    offset = np.abs(x.scale * x.zero_point * weights.sum(axis=(1, 2, 3), dtype=np.float64))
    scales = floor_weight_scales(
        scales,
        bias=offset if bias is None else np.abs(bias) + offset,
        input_scale=x.scale,
        output_scale=output_scale,
        residual=added,
        accumulator_bits=32 if max(bits, x.quantization.bits) <= 8 else 48,
    )

    def rounded(scales: Array) -> tuple[Array, Array, Array]:
        integers = quantize_weights(weights, scales, bits=bits)
        corrected = _corrected_bias(bias, weights, integers, scales, gemm, lowering)
        qpp = conv_qpp(
            integers,
            scales,
            bias=corrected,
            input_scale=x.scale,
            output_scale=output_scale,
            input_zero_point=x.zero_point,
            residual=added,
            output_bits=8 if output is None else output.bits,
        )
        return integers, scales, qpp

    found = rounded(scales)
    if output is not None:
        return found
    bounds = accumulator_bound(
        found[0],
        found[2],
        x_dtype=x.dtype,
        residual_dtype=None if residual is None else residual.dtype,
    )
    # A raw accumulator has 32 bits, which wide inputs may exceed: coarser weights then.
    excess = np.maximum(bounds / RAW_LIMIT * (1 + _RAW_MARGIN), 1)
    return found if np.all(excess == 1) else rounded((scales * excess).astype(np.float32))


def _weights(gemm: GemmOp, lowering: Lowering) -> tuple[Array, Array, int]:
    """Weights as float (Cout, KH, KW, Cin/g), their scales (Cout) and their bits.

    A symmetric per-tensor or per-output-channel fake-quant on them says the scales; else each
    channel's largest magnitude does.
    """
    fake_quant = defined_by(gemm.w, ConstFakeQuantOp)
    array = lowering.rewrite.constant_value(gemm.w if fake_quant is None else fake_quant.x)
    if array is None:
        raise HbirError("its weights are not a constant")
    if fake_quant is None:
        weights = as_filters(gemm, array)
        return weights, _largest_magnitudes(weights, 8), 8
    params = fake_quant.params()
    bits: int = params["bits"]
    weights = as_filters(gemm, const_fake_quant(array, **params))
    given, _ = scales_and_zero_points(
        params["bits"], params["min"], params["max"], params["narrow_range"]
    )
    scales = _output_channel_scales(gemm, given, params.get("axis"), weights.shape[0])
    if scales is None:
        return weights, _largest_magnitudes(weights, bits), bits
    column = scales.reshape(-1, 1, 1, 1).astype(np.float64)
    # A zero point may push the difference to it out of the range; then the scale can't be kept.
    fits = np.abs(weights / column).max(initial=0) < (1 << (bits - 1)) + 0.5
    return weights, scales if fits else _largest_magnitudes(weights, bits), bits


def _corrected_bias(
    bias: Array | None,
    weights: Array,
    integers: Array,
    scales: Array,
    gemm: GemmOp,
    lowering: Lowering,
) -> Array | None:
    """The bias plus what the rounded weights lose on average.

    weights, integers: (Cout, KH, KW, Cin/g); scales: (Cout).
    """
    rounded = integers * scales.astype(np.float64).reshape(-1, 1, 1, 1)
    correction = lost_on_average(gemm, weights - rounded, lowering.rewrite.weights)
    if correction is None:
        return bias
    return correction if bias is None else bias + correction


def lost_on_average(gemm: GemmOp, difference: Array, store: WeightStore) -> Array | None:
    """Σ (w − ŵ)·E[x], (Cout): what rounded weights ŵ lose on average; None without a mean.

    E[x] is the observed mean per input channel, taken to be the same at every tap: the borders,
    where padding takes the place of some, count as if they were inside. Nagel et al., "Data-Free
    Quantization Through Weight Equalization and Bias Correction", 2019, section 4.2.
    difference: w − ŵ as filters, (Cout, KH, KW, Cin/g).
    """
    mean = input_mean(gemm, store)
    if mean is None:
        return None
    lost = difference.sum(axis=(1, 2))
    channels, inputs = lost.shape
    groups = mean.size // inputs
    means = np.repeat(mean.astype(np.float64).reshape(groups, inputs), channels // groups, axis=0)
    # Of a transposed convolution's taps an output position gets one in stride₀·stride₁.
    taps = prod(gemm.params()["stride"]) if isinstance(gemm, ConvTransposeOp) else 1
    return (lost * means).sum(axis=1) / taps


def _largest_magnitudes(weights: Array, bits: int) -> Array:
    magnitudes = np.abs(weights.reshape(weights.shape[0], -1)).max(axis=1, initial=0)
    return magnitudes.astype(np.float64) / ((1 << (bits - 1)) - 1)


def _output_channel_scales(
    gemm: GemmOp, scales: Array, axis: int | None, channels: int
) -> Array | None:
    """Scales per output channel; None where they belong to another axis."""
    if scales.size == 1:
        return np.repeat(scales, channels)
    rank = len(shape_of(gemm.w))
    output_axis = 0 if isinstance(gemm, Conv2dOp) else rank - 1
    if axis is None or axis % rank != output_axis:
        return None
    return np.tile(scales, channels // scales.size)


def as_filters(gemm: GemmOp, weights: Array) -> Array:
    """Weights of any of the three ops as (Cout, KH, KW, Cin/g) of a convolution."""
    match gemm:
        case Conv2dOp():
            return weights
        case LinearOp():
            return weights.T[:, None, None, :]
        case ConvTransposeOp():
            groups: int = gemm.params()["group_num"]
            cin, kh, kw, cout = weights.shape
            flipped = weights[:, ::-1, ::-1, :].reshape(groups, cin // groups, kh, kw, cout)
            return flipped.transpose(0, 4, 2, 3, 1).reshape(groups * cout, kh, kw, cin // groups)


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    Conv2dOp: lower_group,
    ConvTransposeOp: lower_group,
    LinearOp: lower_group,
}
