"""Turn a batch norm that no convolution could absorb into ops that the BPU has.

On (N, H, W, C) it is a depthwise 1×1 convolution, whose weights are quantized per channel and whose
bias is exact; on other ranks a multiplication and an addition.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.hbir.conv import Conv2dOp
from hbir.dialects.hbir.elementwise import AddOp, MulOp
from hbir.dialects.hbir.norm import BatchnormOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.passes.graph import derive_origin
from hbir.passes.optimize.absorb_batchnorm import channel_factors


class LowerBatchnormPass(ModulePass):
    """Write batch norms with constant statistics as a depthwise convolution, or as mul and add."""

    name = "lower-batchnorm"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {BatchnormOp: lower})


def lower(op: BatchnormOp, rewrite: Rewrite) -> None:
    """y = a·x + b per channel."""
    affine = channel_factors(rewrite, op)
    if affine is None:
        return
    factor, offset = (part.astype(np.float32) for part in affine)
    bias = rewrite.constant(offset, before=op)
    if len(shape_of(op.x)) == 4:
        channels = factor.size
        weights = rewrite.constant(factor.reshape(channels, 1, 1, 1), before=op)
        rewrite.replace(op, Conv2dOp.make(op.x, weights, bias, group_num=channels))
        return
    product = MulOp.make(op.x, rewrite.constant(factor, before=op))
    rewrite.insert(product, before=op)
    derive_origin(product, op, "scaled")
    rewrite.replace(op, AddOp.make(product, bias))
