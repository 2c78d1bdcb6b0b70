"""Ops that move integers, and resizing: the result has the operand's scale and zero point.

Where the result is to be quantized otherwise, a requantization follows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import Operation, SSAValue

from hbir.dialects.bpu import move as bpu
from hbir.dialects.bpu.base import integer_range
from hbir.dialects.bpu.requantize import RescaleOp
from hbir.dialects.bpu.resize import Resize2dOp as BpuResize2dOp
from hbir.dialects.hbir.move import ConcatOp, PadOp, ReshapeOp, SliceOp, TileOp, TransposeOp
from hbir.dialects.hbir.resize import Resize2dOp
from hbir.dialects.qnt import DequantizeOp, QuantizeOp
from hbir.errors import HbirError
from hbir.ir.op import TensorOp
from hbir.ir.types import F16, shape_of
from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.parameters import rescale_parameters, resize_parameters
from hbir.passes.convert.lower_to_bpu.lowering import (
    Lowering,
    LoweringFunction,
    Quantized,
)
from hbir.passes.fake_quant import Quantization


def rescale(x: Quantized, output: Quantization, lowering: Lowering) -> TensorOp:
    """The op that requantizes `x`, or makes it float16, or integers of float16."""
    if x.quantization.is_float:
        return QuantizeOp.make(
            x.value, element=output.element, scale=output.scale, zero_point=output.zero_point
        )
    if output.is_float:
        scale = lowering.constant(np.array([x.scale], np.float32))
        return DequantizeOp.make(x.value, scale, element=F16, zero_point=x.zero_point)
    return RescaleOp.make(
        x.value,
        element=output.element,
        input_zero_point=x.zero_point,
        output_zero_point=output.zero_point,
        **rescale_parameters(x.scale, output.scale, output_bits=output.bits),
    )


def keep_scale(new: TensorOp, x: Quantized, lowering: Lowering) -> TensorOp:
    """`new`, which moves the integers of `x`, requantized if the result has another scale."""
    if lowering.result == x.quantization:
        return lowering.finish(new)
    moved = lowering.step(new, x, "moved")
    return lowering.finish(rescale(moved, lowering.result, lowering))


def lower_reshape(op: ReshapeOp, lowering: Lowering) -> TensorOp:
    """bpu.reshape; of a network's output before it is dequantized where the channels stay last."""
    shape = list(shape_of(op.output))
    if lowering.output is None:
        keeps_channels = shape_of(op.x)[-1:] == shape_of(op.output)[-1:]
        if keeps_channels and isinstance(op.x.owner, DequantizeOp):
            return _reshape_accumulator(op, shape, lowering)
        return bpu.ReshapeOp.make(op.x, shape=shape)
    x = lowering.quantized(op.x)
    return keep_scale(bpu.ReshapeOp.make(x.value, shape=shape), x, lowering)


def _reshape_accumulator(op: ReshapeOp, shape: list[int], lowering: Lowering) -> TensorOp:
    dequantize = op.x.owner
    if not isinstance(dequantize, DequantizeOp):
        raise HbirError("it reads no accumulator")
    scale = lowering.rewrite.constant_value(dequantize.scale)
    if scale is None:
        raise HbirError("the accumulator's scale is not a constant")
    moved = lowering.finish_raw(bpu.ReshapeOp.make(dequantize.q, shape=shape), scale)
    return DequantizeOp.make(moved, dequantize.scale)


def lower_transpose(op: TransposeOp, lowering: Lowering) -> TensorOp:
    """bpu.transpose; of a network's output after it is dequantized, since scales go by the last
    axis."""
    if lowering.output is None:
        return bpu.TransposeOp.make(op.x, dims=op.params()["dims"])
    x = lowering.quantized(op.x)
    return keep_scale(bpu.TransposeOp.make(x.value, dims=op.params()["dims"]), x, lowering)


def lower_tile(op: TileOp, lowering: Lowering) -> TensorOp:
    """bpu.tile."""
    x = lowering.quantized(op.x)
    return keep_scale(bpu.TileOp.make(x.value, multiplies=op.params()["multiplies"]), x, lowering)


def lower_slice(op: SliceOp, lowering: Lowering) -> TensorOp:
    """bpu.slice."""
    x, params = lowering.quantized(op.x), op.params()
    step = params.get("step") or [1] * len(params["begin"])
    new = bpu.SliceOp.make(x.value, begin=params["begin"], end=params["end"], step=step)
    return keep_scale(new, x, lowering)


def lower_pad(op: PadOp, lowering: Lowering) -> TensorOp:
    """bpu.pad with the pad value as an integer of the operand's scale.

    The pad value of float16 that is no whole number comes as constants beside the operand.
    """
    x, params = lowering.quantized(op.x), op.params()
    begin, end = params["begin"], params["end"]
    if x.quantization.is_float and params["pad_value"] % 1:
        return keep_scale(
            _surrounded(x.value, begin, end, params["pad_value"], lowering), x, lowering
        )
    value = pad_integer(x, params["pad_value"])
    return keep_scale(bpu.PadOp.make(x.value, begin=begin, end=end, pad_value=value), x, lowering)


def pad_integer(x: Quantized, value: float) -> int:
    """A pad value as one of the integers of `x`; of float16, which are numbers, the next whole."""
    low, high = integer_range(x.value.type)
    return int(np.clip(np.rint(value / x.scale) + x.zero_point, low, high))


def _surrounded(
    x: SSAValue, begin: Sequence[int], end: Sequence[int], number: float, lowering: Lowering
) -> TensorOp:
    """`x` between constants, axis by axis."""
    value = x
    concats: list[bpu.ConcatOp] = []
    for axis, counts in enumerate(zip(begin, end, strict=True)):
        if not any(counts):
            continue
        if concats:
            value = lowering.insert(concats[-1]).output
        before, after = (_filled(value, axis, count, number, lowering) for count in counts)
        concats.append(bpu.ConcatOp.make(*before, value, *after, dim=axis))
    if not concats:
        raise HbirError("it pads nothing")
    return concats[-1]


def _filled(
    like: SSAValue, axis: int, count: int, number: float, lowering: Lowering
) -> list[SSAValue]:
    """A constant of `count` elements along an axis, to stand beside `like`; none of none."""
    if not count:
        return []
    shape = [*shape_of(like)]
    shape[axis] = count
    return [lowering.constant(to_float16(np.full(shape, number, np.float32)))]


def lower_concat(op: ConcatOp, lowering: Lowering) -> TensorOp:
    """bpu.concat of operands with the result's scale; `unify-scales` gave them fake-quants."""
    operands = [lowering.quantized(value) for value in op.operands]
    if any(operand.quantization != lowering.result for operand in operands):
        raise HbirError("its operands and result have several scales; unify-scales comes first")
    dim = op.params()["dim"] % len(shape_of(op.output))
    return lowering.finish(bpu.ConcatOp.make(*[x.value for x in operands], dim=dim))


def lower_resize2d(op: Resize2dOp, lowering: Lowering) -> TensorOp:
    """bpu.resize2d with fixed-point source positions."""
    x, params = lowering.quantized(op.x), op.params()
    parameters = resize_parameters(
        params["step"],
        params["initial_offset"],
        mode=params["mode"],
        nearest_mode=params["nearest_mode"],
    )
    new = BpuResize2dOp.make(
        x.value,
        size=params["size"],
        mode=params["mode"],
        nearest_mode=params["nearest_mode"],
        **parameters,
    )
    return keep_scale(new, x, lowering)


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    ConcatOp: lower_concat,
    PadOp: lower_pad,
    ReshapeOp: lower_reshape,
    Resize2dOp: lower_resize2d,
    SliceOp: lower_slice,
    TileOp: lower_tile,
    TransposeOp: lower_transpose,
}
