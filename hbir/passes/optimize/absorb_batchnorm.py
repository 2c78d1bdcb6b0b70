"""Put a batch norm into the weights and bias of the conv2d, convtranspose or linear beside it.

A batch norm is y = a·x + b with a = weight / √(var + eps), b = bias − mean·a. After
a GEMM-like op it multiplies each output channel's weights by a; the bias becomes a·bias + b.
Before one it multiplies the weights of each input channel, and b's contribution Σ w·b joins the
bias, which is only right where no zero padding stands in for x. Computed in float64, rounded once.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.hbir.conv import Conv2dOp
from hbir.dialects.hbir.linear import LinearOp
from hbir.dialects.hbir.norm import BatchnormOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import Array
from hbir.passes.gemm import (
    constant_parts,
    gemm_of,
    input_sums,
    scale_input_channels,
    scale_output_channels,
    with_parts,
)
from hbir.passes.graph import defined_by


class AbsorbBatchnormPass(ModulePass):
    """Fold batch norms into the GEMM-like op before or after them, wherever that is exact."""

    name = "absorb-batchnorm"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(
            ctx,
            op,
            {
                BatchnormOp: absorb_into_producer,
                Conv2dOp: absorb_from_input,
                LinearOp: absorb_from_input,
            },
        )


def channel_factors(rewrite: Rewrite, op: BatchnormOp) -> tuple[Array, Array] | None:
    """a and b, float64 (C,), of y = a·x + b; None unless all statistics are constants."""
    parts = [rewrite.constant_value(v) for v in (op.mean, op.var, op.weight, op.bias)]
    known = [part.astype(np.float64) for part in parts if part is not None]
    if len(known) != len(parts):
        return None
    mean, var, weight, bias = known
    factor = weight / np.sqrt(var + op.params()["eps"])
    return factor, bias - mean * factor


def absorb_into_producer(op: BatchnormOp, rewrite: Rewrite) -> None:
    """conv → batchnorm becomes conv; the conv must have no other user."""
    gemm = gemm_of(op.x)
    if gemm is None or not op.x.has_one_use():
        return
    parts, affine = constant_parts(rewrite, gemm), channel_factors(rewrite, op)
    if parts is None or affine is None:
        return
    (weights, bias), (factor, offset) = parts, affine
    scaled = scale_output_channels(gemm, weights, factor)
    rewrite.replace(op, with_parts(rewrite, gemm, scaled, factor * bias + offset), also=[gemm])


def absorb_from_input(op: Conv2dOp | LinearOp, rewrite: Rewrite) -> None:
    """batchnorm → conv becomes conv, unless padding would have to be −b/a instead of 0."""
    norm = defined_by(op.x, BatchnormOp)
    if norm is None or not op.x.has_one_use():
        return
    parts, affine = constant_parts(rewrite, op), channel_factors(rewrite, norm)
    if parts is None or affine is None:
        return
    (weights, bias), (factor, offset) = parts, affine
    if isinstance(op, Conv2dOp) and max(op.params()["pad"]) > 0 and offset.any():
        return
    new_bias = bias + input_sums(op, weights, offset)
    scaled = scale_input_channels(op, weights, factor)
    rewrite.replace(op, with_parts(rewrite, op, scaled, new_bias, x=norm.x), also=[norm])
