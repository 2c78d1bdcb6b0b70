"""Write a group norm as a layer norm of rows that hold a group each, and a factor per channel."""

from __future__ import annotations

from math import prod

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.elementwise import AddOp, MulOp
from hbir.dialects.hbir.layernorm import GroupnormOp, LayernormOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.dialects.hbir.norm import BatchnormOp
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.passes.graph import derive_origin, is_constant


class DecomposeGroupnormPass(ModulePass):
    """groupnorm becomes layernorm between moves, then a batch norm that has just weight and bias.

    That one is absorbed by a neighbour, or becomes a depthwise convolution. Computed weights and
    biases become mul and add.
    """

    name = "decompose-groupnorm"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {GroupnormOp: decompose})


def decompose(op: GroupnormOp, rewrite: Rewrite) -> None:
    """(N, ..., C) as (N, groups, positions · C / groups), and back."""

    def step(new: TensorOp, suffix: str) -> SSAValue:
        derive_origin(new, op, suffix)
        return rewrite.insert(new, before=op).output

    shape, params = shape_of(op.x), op.params()
    groups: int = params["group_num"]
    positions, size = prod(shape[1:-1]), shape[-1] // groups
    value = op.x
    apart = [shape[0], positions, groups, size]
    swapped = [shape[0], groups, positions, size]
    if groups > 1 and positions > 1:
        value = step(ReshapeOp.make(value, shape=apart), "groups")
        value = step(TransposeOp.make(value, dims=[0, 2, 1, 3]), "transposed")
    value = step(ReshapeOp.make(value, shape=[shape[0], groups, positions * size]), "rows")
    value = step(LayernormOp.make(value, eps=params["eps"]), "normal")
    if groups > 1 and positions > 1:
        value = step(ReshapeOp.make(value, shape=swapped), "apart")
        value = step(TransposeOp.make(value, dims=[0, 2, 1, 3]), "together")
    back = ReshapeOp.make(value, shape=shape)
    if not op.affine:
        rewrite.replace(op, back)
        return
    value = step(back, "channels")
    if all(map(is_constant, op.affine)):
        zeros, ones = np.zeros(shape[-1], np.float32), np.ones(shape[-1], np.float32)
        mean = rewrite.constant(zeros, before=op)
        bias = mean if op.bias is None else op.bias
        variance = rewrite.constant(ones, before=op)
        rewrite.replace(op, BatchnormOp.make(value, mean, variance, op.affine[0], bias, eps=0.0))
        return
    product = MulOp.make(value, op.affine[0])
    if op.bias is None:
        rewrite.replace(op, product)
        return
    rewrite.replace(op, AddOp.make(step(product, "scaled"), op.bias))
