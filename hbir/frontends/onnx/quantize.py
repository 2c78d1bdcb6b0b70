"""QDQ models: QuantizeLinear and DequantizeLinear.

A pair of them is a fake-quant with exactly their scale and zero point. Unsigned integers become
signed ones with the zero point moved by −2^(bits−1). A dequantized int8 initializer is a float
constant and its fake-quant, per channel where the node has an axis; an int32 one (a bias) is a
float constant.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from hbir.errors import HbirError
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.values import (
    QuantizationParameters,
    QuantizedConstant,
    QuantizedValue,
    Value,
    known_array,
)
from hbir.ir.types import Array

QUANTIZED_DTYPES = tuple(np.dtype(name) for name in ("int8", "uint8", "int16", "uint16"))
"""Integer types that fake-quants stand for."""


@imports("QuantizeLinear")
def quantize_linear(node: NodeImport) -> list[Value]:
    """QuantizeLinear → nothing; a fake-quant where the result is dequantized."""
    dtype = _quantized_dtype(node)
    parameters = _parameters(node, dtype, len(node.shape(0)))
    if node.dtype(0) != np.float32:
        raise NoBpuForm(f"its input must be float32, it is {node.dtype(0)}")
    return [QuantizedValue(node.value(0), node.node, dtype, parameters)]


def _quantized_dtype(node: NodeImport) -> np.dtype[np.integer[Any]]:
    dtype = node.dtype(2) if node.has(2) else np.dtype(np.uint8)
    if dtype not in QUANTIZED_DTYPES:
        raise NoBpuForm(f"its zero point must be 8 or 16 bits wide, it is {dtype}")
    return cast("np.dtype[np.integer[Any]]", dtype)


@imports("DequantizeLinear")
def dequantize_linear(node: NodeImport) -> list[Value]:
    """DequantizeLinear → a fake-quant with its scale and zero point."""
    value = node.raw(0)
    array = known_array(value)
    if array is not None:
        return [_dequantized_constant(node, array)]
    if not isinstance(value, QuantizedValue):
        raise NoBpuForm(f"{node.node.inputs[0]!r} must come from a QuantizeLinear or a constant")
    parameters = _parameters(node, value.dtype, len(node.shape(0)))
    if parameters != value.parameters:
        raise NoBpuForm("its scale and zero point must be those of the QuantizeLinear")
    low, high = parameters.bounds()
    return [
        node.result(
            "qnt.const_fake_quant",
            value.source,
            bits=parameters.bits,
            min=low,
            max=high,
            axis=parameters.axis,
        )
    ]


def _dequantized_constant(node: NodeImport, array: Array) -> Value:
    rank = array.ndim
    scale = np.asarray(node.constant(1, "its scale"), np.float32)
    zero = _zero_points(node, scale)
    if node.int_("block_size", 0):
        raise NoBpuForm("block_size must be 0")
    shape = [1] * rank
    if scale.size > 1:
        shape[_axis(node, rank)] = scale.size
    # In f32 as the specification computes it; the integer difference is exact.
    difference = (array.astype(np.int64) - zero.reshape(shape if zero.size > 1 else ())).astype(
        np.float32
    )
    values = difference * scale.reshape(shape if scale.size > 1 else ())
    if array.dtype not in QUANTIZED_DTYPES:
        return values
    dtype = cast("np.dtype[np.integer[Any]]", array.dtype)
    return QuantizedConstant(values, _parameters(node, dtype, rank))


def _parameters(
    node: NodeImport, dtype: np.dtype[np.integer[Any]], rank: int
) -> QuantizationParameters:
    if node.int_("block_size", 0):
        raise NoBpuForm("block_size must be 0")
    scale = node.constant(1, "its scale")
    if scale.dtype != np.float32:
        raise NoBpuForm(f"its scale must be float32, it is {scale.dtype}")
    if not (np.all(np.isfinite(scale)) and np.all(scale > 0)):
        raise NoBpuForm("its scales must be positive")
    node.attribute("axis")  # has no meaning with one scale; exporters write it all the same
    zero = _zero_points(node, scale)
    moved = zero - (1 << (8 * dtype.itemsize - 1)) if dtype.kind == "u" else zero
    return QuantizationParameters(
        8 * dtype.itemsize,
        tuple(float(s) for s in scale.reshape(-1)),
        tuple(int(z) for z in np.broadcast_to(moved.reshape(-1), (scale.size,))),
        _axis(node, rank) if scale.size > 1 else None,
    )


def _zero_points(node: NodeImport, scale: Array) -> Array:
    zero = node.constant(2, "its zero point") if node.has(2) else np.zeros(1, np.int64)
    if zero.size not in (1, scale.size):
        raise HbirError(f"{node.node}: it has {scale.size} scales but {zero.size} zero points")
    return zero.astype(np.int64)


def _axis(node: NodeImport, rank: int) -> int:
    axis = node.int_("axis", 1)
    if not -rank <= axis < rank:
        raise NoBpuForm(f"axis {axis} must lie in {-rank}..{rank - 1}")
    axis %= rank
    if node.shape(0)[axis] != node.shape(1)[0]:
        raise HbirError(
            f"{node.node}: axis {axis} has {node.shape(0)[axis]} channels but"
            f" {node.shape(1)[0]} scales"
        )
    return axis
