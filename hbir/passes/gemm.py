"""The three ops that multiply by constant weights, and changes to their weights and bias.

conv2d weights are (Cout, KH, KW, Cin/g), convtranspose (Cin, KH, KW, Cout/g), linear (Cin, Cout);
this module is the one place that knows where each keeps its channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from xdsl.ir import Operation, SSAValue

from hbir.dialects.hbir.conv import Conv2dOp, ConvTransposeOp
from hbir.dialects.hbir.linear import LinearOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.ir.origin import origin_of, set_origin
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array, shape_of

GemmOp: TypeAlias = Conv2dOp | ConvTransposeOp | LinearOp


def as_gemm(op: Operation | None) -> GemmOp | None:
    """The op if it is a conv2d, convtranspose or linear."""
    return op if isinstance(op, Conv2dOp | ConvTransposeOp | LinearOp) else None


def gemm_of(value: SSAValue) -> GemmOp | None:
    """The conv2d, convtranspose or linear that defines `value`, or None."""
    owner = value.owner
    return as_gemm(owner) if isinstance(owner, Operation) else None


def constant_parts(rewrite: Rewrite, op: GemmOp) -> tuple[Array, Array] | None:
    """Weights and bias (zeros where there is none) in float64; None unless both are constants."""
    weights = rewrite.constant_value(op.w)
    if weights is None:
        return None
    if op.bias is None:
        return weights.astype(np.float64), np.zeros(output_channels(op))
    bias = rewrite.constant_value(op.bias)
    return None if bias is None else (weights.astype(np.float64), bias.astype(np.float64))


def output_channels(op: GemmOp) -> int:
    """Number of output channels."""
    return shape_of(op.output)[-1]


def products_per_output(op: GemmOp) -> int:
    """How many products an output element sums at most."""
    shape = shape_of(op.w)
    match op:
        case Conv2dOp():
            return math.prod(shape[1:])
        case ConvTransposeOp():
            return math.prod(shape[:3]) // op.params()["group_num"]
        case LinearOp():
            return shape[0]


def scale_output_channels(op: GemmOp, weights: Array, factors: Array) -> Array:
    """The weights whose output channel o is multiplied by factors[o]."""
    match op:
        case Conv2dOp():
            return weights * factors[:, None, None, None]
        case ConvTransposeOp():
            groups = op.params()["group_num"]
            per_group = factors.reshape(groups, -1)
            rows = np.repeat(per_group, weights.shape[0] // groups, axis=0)
            return weights * rows[:, None, None, :]
        case LinearOp():
            return weights * factors[None, :]


def scale_input_channels(op: GemmOp, weights: Array, factors: Array) -> Array:
    """The weights whose input channel c is multiplied by factors[c]."""
    match op:
        case Conv2dOp():
            groups = op.params()["group_num"]
            per_group = factors.reshape(groups, -1)
            rows = np.repeat(per_group, weights.shape[0] // groups, axis=0)
            return weights * rows[:, None, None, :]
        case ConvTransposeOp():
            return weights * factors[:, None, None, None]
        case LinearOp():
            return weights * factors[:, None]


def largest_by_output_channel(op: GemmOp, weights: Array) -> Array:
    """The largest |w| of each output channel."""
    largest: Array = np.abs(weights)
    match op:
        case Conv2dOp():
            return largest.max(axis=(1, 2, 3))
        case ConvTransposeOp():
            groups = op.params()["group_num"]
            by_group = largest.reshape(groups, -1, largest.shape[-1])
            return by_group.max(axis=1).reshape(-1)
        case LinearOp():
            return largest.max(axis=0)


def largest_by_input_channel(op: GemmOp, weights: Array) -> Array:
    """The largest |w| of each input channel."""
    largest: Array = np.abs(weights)
    match op:
        case Conv2dOp():
            groups = op.params()["group_num"]
            by_group = largest.reshape(groups, -1, largest.shape[-1])
            return by_group.max(axis=1).reshape(-1)
        case ConvTransposeOp():
            return largest.max(axis=(1, 2, 3))
        case LinearOp():
            return largest.max(axis=1)


def input_sums(op: Conv2dOp | LinearOp, weights: Array, offsets: Array) -> Array:
    """Σ w·offset over the input of each output channel: what a constant per input channel adds."""
    if isinstance(op, LinearOp):
        return offsets @ weights
    groups = op.params()["group_num"]
    per_group = offsets.reshape(groups, -1)
    rows = np.repeat(per_group, weights.shape[0] // groups, axis=0)
    return (weights.sum(axis=(1, 2)) * rows).sum(axis=1)


def with_parts(
    rewrite: Rewrite, op: GemmOp, weights: Array, bias: Array, *, x: SSAValue | None = None
) -> GemmOp:
    """The op with other weights and bias (rounded to float32 here), not yet inserted itself.

    Its constants are inserted before `op`. Discardable attributes are not carried over.
    """
    w = rewrite.constant(weights.astype(np.float32), before=op, origin=origin_of(op.w))
    b_origin = None if op.bias is None else origin_of(op.bias)
    b = rewrite.constant(bias.astype(np.float32), before=op, origin=b_origin)
    make: Callable[..., GemmOp] = type(op).make
    properties: dict[str, Any] = dict(op.properties)
    return make(op.x if x is None else x, w, b, **properties)


def weight_range(op: GemmOp, weights: Array) -> dict[str, Any]:
    """A symmetric fake-quant of weights per output channel: min, max, axis and narrow_range."""
    axis = 0 if isinstance(op, Conv2dOp) else weights.ndim - 1
    others = tuple(a for a in range(weights.ndim) if a != axis)
    largest = np.maximum(weights.max(axis=others), -weights.min(axis=others)).astype(np.float64)
    return {
        "min": (-largest).tolist(),
        "max": largest.tolist(),
        "axis": axis,
        "narrow_range": True,
    }


def widen_weights(op: GemmOp, rewrite: Rewrite) -> None:
    """Fake-quantize constant weights with 16 bits, symmetric, per output channel."""
    weights = rewrite.constant_value(op.w)
    if weights is None:
        return
    fake_quant = ConstFakeQuantOp.make(op.w, bits=16, **weight_range(op, weights))
    set_origin(fake_quant, origin_of(op.w))
    op.operands[1] = rewrite.insert(fake_quant, before=op).output
