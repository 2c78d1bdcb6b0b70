"""The integers of a convolution's or linear layer's weights, their scales, and what requantizes.

Where calibration kept the mean of a layer's input, the bias makes up for what rounding the weights
takes from the mean of the output.

Everything follows from the op, its constants and how its tensors are quantized, so it is worked out
once for all modules that share a store: a module is often converted again with other inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from xdsl.ir import Attribute, SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.conv import Conv2dOp, ConvTransposeOp
from hbir.dialects.hbir.linear import LinearOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.ir.types import Array, shape_of
from hbir.ir.weights import WeightStore
from hbir.kernels.integer.bounds import RAW_LIMIT, accumulator_bound
from hbir.kernels.parameters import (
    Residual,
    channel_blocks,
    conv_qpp,
    floor_weight_scales,
    quantize_weights,
)
from hbir.kernels.quantize import const_fake_quant, scales_and_zero_points
from hbir.passes.fake_quant import Quantization
from hbir.passes.gemm import GemmOp
from hbir.passes.graph import defined_by
from hbir.passes.observed import INPUT_MEAN_ATTRIBUTE, input_mean

_RAW_MARGIN = 1 / 64
"""How much further below 2^31 a raw accumulator is kept: weights, rounded anew, may come out larger
by half a step each."""

IntegerWeights = tuple[Array, Array, Array]
"""Integers (Cout, KH, KW, Cin/g), scales (Cout), and the `qpp` table (Cout, 3 or 5)."""


@dataclass(frozen=True)
class Operand:
    """How an input of the layer is quantized, and the NumPy type of its integers."""

    quantization: Quantization
    dtype: np.dtype[Any]


def integer_weights(
    gemm: GemmOp,
    x: Operand,
    residual: Operand | None,
    output: Quantization | None,
    store: WeightStore,
) -> IntegerWeights:
    """The weights of a layer that reads `x`, with a residual and a quantized result where it has
    them. Raises HbirError for weights that are not a constant, and ParameterError for scales that
    have no integer parameters."""
    fake_quant = defined_by(gemm.w, ConstFakeQuantOp)
    weights = _constant(gemm.w if fake_quant is None else fake_quant.x)
    bias = None if gemm.bias is None else _constant(gemm.bias)
    if weights is None:
        raise HbirError("its weights are not a constant")
    layer = (gemm.name, *gemm.properties.items(), gemm.attributes.get(INPUT_MEAN_ATTRIBUTE))
    rounding = () if fake_quant is None else tuple(fake_quant.properties.items())
    return store.derived(
        (integer_weights, layer, weights, rounding, bias, x, residual, output),
        lambda: _integer_weights(
            gemm,
            _float_weights(gemm, store.array(weights), fake_quant),
            None if bias is None else store.array(bias),
            x,
            residual,
            output,
            store,
        ),
    )


def _constant(value: SSAValue) -> Attribute | None:
    op = defined_by(value, ConstantOp)
    return None if op is None else op.values


def _integer_weights(
    gemm: GemmOp,
    given: tuple[Array, Array, int],
    bias: Array | None,
    x: Operand,
    residual: Operand | None,
    output: Quantization | None,
    store: WeightStore,
) -> IntegerWeights:
    weights, scales, bits = given
    how = x.quantization
    added = None
    if residual is not None and not residual.quantization.is_float:
        beside = residual.quantization
        added = Residual(beside.scale, beside.zero_point, beside.bits)
    output_scale = None if output is None else output.scale
    # What the integer bias must hold: the bias, and x's zero point's share of the sum.
    offset = np.abs(how.scale * how.zero_point * weights.sum(axis=(1, 2, 3), dtype=np.float64))
    scales = floor_weight_scales(
        scales,
        bias=offset if bias is None else np.abs(bias) + offset,
        input_scale=how.scale,
        output_scale=output_scale,
        residual=added,
        accumulator_bits=32 if max(bits, how.bits) <= 8 else 48,
    )

    def rounded(scales: Array) -> IntegerWeights:
        integers = quantize_weights(weights, scales, bits=bits)
        lost = lost_on_average(gemm, weights, integers, store, scales)
        qpp = conv_qpp(
            integers,
            scales,
            bias=bias if lost is None else lost if bias is None else bias + lost,
            input_scale=how.scale,
            output_scale=output_scale,
            input_zero_point=how.zero_point,
            residual=added,
            output_bits=8 if output is None else output.bits,
        )
        return _kept(integers, store), scales, qpp

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


def _kept(array: Array, store: WeightStore) -> Array:
    """The array as the store holds it, once for all that are equal."""
    return store.array(store.attribute(array))


def _float_weights(
    gemm: GemmOp, array: Array, fake_quant: ConstFakeQuantOp | None
) -> tuple[Array, Array, int]:
    """Weights as float (Cout, KH, KW, Cin/g), their scales (Cout) and their bits.

    A symmetric per-tensor or per-output-channel fake-quant on them says the scales; else each
    channel's largest magnitude does.
    """
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


def lost_on_average(
    gemm: GemmOp, weights: Array, rounded: Array, store: WeightStore, scales: Array | None = None
) -> Array | None:
    """Σ (w − ŵ)·E[x], (Cout): what rounded weights ŵ lose on average; None without a mean.

    E[x] is the observed mean per input channel, taken to be the same at every tap: the borders,
    where padding takes the place of some, count as if they were inside. Nagel et al., "Data-Free
    Quantization Through Weight Equalization and Bias Correction", 2019, section 4.2.
    weights, rounded: w and ŵ as filters, (Cout, KH, KW, Cin/g); scales: (Cout), where `rounded` is
    integers that stand for themselves times these.
    """
    mean = input_mean(gemm, store)
    if mean is None:
        return None
    channels, inputs = weights.shape[0], weights.shape[3]
    groups = mean.size // inputs
    means = np.repeat(mean.astype(np.float64).reshape(groups, inputs), channels // groups, axis=0)
    factors = np.ones(channels) if scales is None else scales.astype(np.float64)
    lost = np.zeros(channels)
    for block in channel_blocks(weights.shape):
        difference = rounded[block] * factors[block, None, None, None]
        np.subtract(weights[block], difference, out=difference)
        lost[block] = (difference.sum(axis=(1, 2)) * means[block]).sum(axis=1)
    # Of a transposed convolution's taps an output position gets one in stride₀·stride₁.
    taps = prod(gemm.params()["stride"]) if isinstance(gemm, ConvTransposeOp) else 1
    return lost / taps


def _largest_magnitudes(weights: Array, bits: int) -> Array:
    rows = weights.reshape(weights.shape[0], -1)
    magnitudes = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0))
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
