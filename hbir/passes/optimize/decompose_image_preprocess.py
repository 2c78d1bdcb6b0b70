"""Write an image's colour conversion and normalisation as what the BPU has: 1×1 convolutions.

M·(x − o) is a 1×1 convolution; its limits 0...255 follow as a clip, which a convolution takes
along. Normalising is affine per channel: where it is the same for all channels, or nothing is
clipped, it goes into the same convolution; else it is a batch norm behind the clip, with constant
statistics, which becomes a depthwise convolution. Exact up to float32's rounding of the weights.

A module that is calibrated already gets fake-quants with the new values, whose ranges are known:
images are often put before a calibrated network.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import ClipOp
from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.conv import Conv2dOp
from hbir.dialects.hbir.image import ImagePreprocessOp
from hbir.dialects.hbir.norm import BatchnormOp
from hbir.ir.function import body_of, function_above
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import SI8, Array, element_of, shape_of
from hbir.kernels.float.image import COLOUR_SPACES, SIGNED_OFFSET
from hbir.passes.fake_quant import (
    asymmetric_range,
    fake_quants_of,
    insert_fake_quant,
    is_fake_quant,
)
from hbir.passes.graph import defined_by, derive_origin

HIGHEST = 255.0
"""Of a colour value; the lowest is 0."""

SIGNED_BYTES = (-128.0, 127.0)


class DecomposeImagePreprocessPass(ModulePass):
    """image_preprocess becomes a 1×1 convolution, a clip and a batch norm, as far as needed."""

    name = "decompose-image-preprocess"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {ImagePreprocessOp: decompose})


def decompose(op: ImagePreprocessOp, rewrite: Rewrite) -> None:
    """`csc` = skip is a batch norm alone; a convolution needs (N, H, W, C)."""
    params = op.params()
    calibrated = _is_calibrated(op)
    cast = defined_by(op.x, CastTypeOp)
    if calibrated and cast is not None and element_of(cast.x) == SI8:
        _quantize(cast.output, SIGNED_BYTES, rewrite)
    factor, offset = _normalisation(op)
    unsigned = float(SIGNED_OFFSET if params["signed"] else 0)
    if params["csc"] == "skip":
        rewrite.replace(op, _affine(op, rewrite, op.x, factor, factor * unsigned + offset))
        return
    if len(shape_of(op.x)) != 4:
        return
    matrix, origin, clipped = COLOUR_SPACES[params["csc"]]
    bias = matrix @ (unsigned - origin)
    uniform = bool(np.all(factor == factor[0]) and np.all(offset == offset[0]))
    if not clipped or uniform:
        convolution = _pointwise(op, rewrite, factor[:, None] * matrix, factor * bias + offset)
        if not clipped:
            rewrite.replace(op, convolution)
            return
        _insert_step(convolution, op, rewrite, "converted")
        ends = (float(offset[0]), float(factor[0] * HIGHEST + offset[0]))
        rewrite.replace(op, ClipOp.make(convolution, min=min(ends), max=max(ends)))
        return
    convolution = _pointwise(op, rewrite, matrix, bias)
    _insert_step(convolution, op, rewrite, "converted")
    limited = ClipOp.make(convolution, min=0.0, max=HIGHEST)
    _insert_step(limited, op, rewrite, "limited")
    rewrite.replace(op, _affine(op, rewrite, limited.output, factor, offset))
    if calibrated:
        _quantize(limited.output, (0.0, HIGHEST), rewrite)


def _quantize(value: SSAValue, value_range: tuple[float, float], rewrite: Rewrite) -> None:
    """A fake-quant of a step, whose range is known, behind an integer input or a clip."""
    if not fake_quants_of(value):
        low, high = asymmetric_range(value_range)
        insert_fake_quant(rewrite, value, list(value.uses), minimum=low, maximum=high)


def _is_calibrated(op: Operation) -> bool:
    function = function_above(op)
    return function is not None and any(map(is_fake_quant, body_of(function).ops))


def _normalisation(op: ImagePreprocessOp) -> tuple[Array, Array]:
    """a and b of a·colour + b per channel, in float64."""
    params = op.params()
    channels = shape_of(op.x)[-1]
    mean, sd = (np.broadcast_to(np.asarray(params[k]), (channels,)) for k in ("mean", "sd"))
    return 1.0 / (params["divisor"] * sd), -mean / sd


def _insert_step(
    new: Conv2dOp | ClipOp, op: ImagePreprocessOp, rewrite: Rewrite, name: str
) -> None:
    rewrite.insert(new, before=op)
    derive_origin(new, op, name)


def _pointwise(op: ImagePreprocessOp, rewrite: Rewrite, matrix: Array, bias: Array) -> Conv2dOp:
    weights = rewrite.constant(matrix.astype(np.float32)[:, None, None, :], before=op)
    return Conv2dOp.make(op.x, weights, rewrite.constant(bias.astype(np.float32), before=op))


def _affine(
    op: ImagePreprocessOp, rewrite: Rewrite, x: SSAValue, factor: Array, offset: Array
) -> BatchnormOp:
    """factor·x + offset: a batch norm of mean 0 and variance 1."""
    channels = factor.size
    zeros, ones = np.zeros(channels, np.float32), np.ones(channels, np.float32)
    parts = (zeros, ones, factor.astype(np.float32), offset.astype(np.float32))
    constants = [rewrite.constant(part, before=op) for part in parts]
    return BatchnormOp.make(x, *constants, eps=0.0)
