"""Put a square 1×1 convolution into the weights of the unpadded convolution behind it.

A normalisation of the input, or a colour conversion, is such a convolution. Behind it a padded one
would see 0 at the border where it now would see the bias's value, so only unpadded ones absorb it;
and only square ones are absorbed, so that no weights grow.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.hbir.conv import Conv2dOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import Array, shape_of
from hbir.passes.gemm import constant_parts, with_parts
from hbir.passes.graph import defined_by


class AbsorbPointwisePass(ModulePass):
    """conv2d of a square 1×1 conv2d: one conv2d, where nothing else reads between and no padding
    stands in the way."""

    name = "absorb-pointwise"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {Conv2dOp: absorb})


def absorb(op: Conv2dOp, rewrite: Rewrite) -> None:
    """W₂·(W₁·x + b₁) + b₂ = (W₂·W₁)·x + (W₂·b₁ + b₂)."""
    first = defined_by(op.x, Conv2dOp)
    if first is None or not op.x.has_one_use() or not _is_square_pointwise(first):
        return
    params = op.params()
    if params["group_num"] != 1 or any(params["pad"]):
        return
    inner, outer = constant_parts(rewrite, first), constant_parts(rewrite, op)
    if inner is None or outer is None:
        return
    matrix = _dense(first, inner[0])
    weights = outer[0] @ matrix  # (Cout, KH, KW, C) · (C, Cin)
    bias = outer[1] + (outer[0] @ inner[1]).sum(axis=(1, 2))
    rewrite.replace(op, with_parts(rewrite, op, weights, bias, x=first.x), also=[first])


def _is_square_pointwise(op: Conv2dOp) -> bool:
    params = op.params()
    kernel = shape_of(op.w)[1:3]
    return (
        kernel == (1, 1)
        and tuple(params["stride"]) == (1, 1)
        and not any(params["pad"])
        and shape_of(op.x)[-1] == shape_of(op.output)[-1]
    )


def _dense(op: Conv2dOp, weights: Array) -> Array:
    """The (Cout, Cin) matrix of a 1×1 convolution of any number of groups."""
    groups: int = op.params()["group_num"]
    cout, _, _, cin = weights.shape
    matrix = np.zeros((cout, cin * groups))
    rows = cout // groups
    for group in range(groups):
        block = weights[group * rows : (group + 1) * rows, 0, 0, :]
        matrix[group * rows : (group + 1) * rows, group * cin : (group + 1) * cin] = block
    return matrix
