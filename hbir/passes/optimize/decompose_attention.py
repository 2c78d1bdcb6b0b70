"""Write attention as the matrix products, additions and softmax that the BPU has."""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import TanhOp
from hbir.dialects.hbir.attention import AttentionOp
from hbir.dialects.hbir.elementwise import AddOp, MulOp
from hbir.dialects.hbir.linear import MatmulOp
from hbir.dialects.hbir.move import TransposeOp
from hbir.dialects.hbir.norm import SoftmaxOp
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.kernels.float.attention import causal_mask
from hbir.passes.graph import derive_origin


class DecomposeAttentionPass(ModulePass):
    """attention becomes softmax(scale · q·kᵀ + mask)·v; the causal mask becomes a constant.

    The scale is the product's own, hence part of its requantization.
    """

    name = "decompose-attention"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {AttentionOp: decompose})


def decompose(op: AttentionOp, rewrite: Rewrite) -> None:
    """The float32 result differs by the rounding of the scale alone."""

    def step(new: TensorOp, suffix: str) -> SSAValue:
        derive_origin(new, op, suffix)
        return rewrite.insert(new, before=op).output

    params = op.params()
    rank = len(shape_of(op.key))
    key = step(TransposeOp.make(op.key, dims=[*range(rank - 2), rank - 1, rank - 2]), "key")
    cap: float = params["softcap"]
    scale = params["scale"] / (cap or 1.0)
    scores = step(MatmulOp.make(op.query, key, scale=scale), "scores")
    if cap:
        factor = rewrite.constant(np.array(cap, np.float32), before=op)
        scores = step(MulOp.make(step(TanhOp.make(scores), "tanh"), factor), "capped")
    mask = _mask(op, rewrite)
    if mask is not None:
        scores = step(AddOp.make(scores, mask), "masked")
    probabilities = step(SoftmaxOp.make(scores, dim=len(shape_of(scores)) - 1), "probabilities")
    rewrite.replace(op, MatmulOp.make(probabilities, op.value))


def _mask(op: AttentionOp, rewrite: Rewrite) -> SSAValue | None:
    """What is added to the scores: the mask, the causal one, or their sum."""
    if not op.params()["is_causal"]:
        return op.mask
    causal = causal_mask(shape_of(op.query)[-2], shape_of(op.key)[-2])
    given = None if op.mask is None else rewrite.constant_value(op.mask)
    if given is not None:
        return rewrite.constant(np.maximum(given, causal.min()) + causal, before=op)
    constant = rewrite.constant(causal, before=op)
    if op.mask is None:
        return constant
    both = AddOp.make(op.mask, constant)
    derive_origin(both, op, "mask")
    return rewrite.insert(both, before=op).output
