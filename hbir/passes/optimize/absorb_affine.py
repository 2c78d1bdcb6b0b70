"""Put additions of and multiplications by per-channel constants into the convolution before them.

Exporters write a linear layer's bias as an Add, and a normalisation as Mul and Add. Only constants
that vary along the last axis alone (or not at all) can be absorbed: the bias is per channel.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.elementwise import AddOp, MulOp, SubOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import Array, shape_of
from hbir.passes.gemm import (
    GemmOp,
    constant_parts,
    gemm_of,
    output_channels,
    scale_output_channels,
    with_parts,
)
from hbir.passes.graph import per_channel


class AbsorbAffinePass(ModulePass):
    """Fold x + c, x − c, c − x and x · c into the weights and bias of the op that computes x."""

    name = "absorb-affine"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {AddOp: absorb, SubOp: absorb, MulOp: absorb})


def absorb(op: AddOp | SubOp | MulOp, rewrite: Rewrite) -> None:
    """One operand a conv2d, convtranspose or linear without other users, the other a constant."""
    for value, other, swapped in ((op.lhs, op.rhs, False), (op.rhs, op.lhs, True)):
        found = _gemm_and_constant(rewrite, value, other)
        if found is None:
            continue
        gemm, constant = found
        if shape_of(op.output) != shape_of(gemm.output):
            continue
        parts = constant_parts(rewrite, gemm)
        if parts is None:
            continue
        factor, offset = _affine(op, constant, swapped)
        weights = scale_output_channels(gemm, parts[0], factor)
        new = with_parts(rewrite, gemm, weights, factor * parts[1] + offset)
        rewrite.replace(op, new, also=[gemm])
        return


def _gemm_and_constant(
    rewrite: Rewrite, value: SSAValue, other: SSAValue
) -> tuple[GemmOp, Array] | None:
    gemm, constant = gemm_of(value), rewrite.constant_value(other)
    if gemm is None or constant is None or not value.has_one_use():
        return None
    channels = per_channel(constant, (*shape_of(value)[:-1], output_channels(gemm)))
    return None if channels is None else (gemm, channels.astype(np.float64))


def _affine(op: AddOp | SubOp | MulOp, constant: Array, swapped: bool) -> tuple[Array, Array]:
    """Factor and offset of the op as a function of its GEMM operand."""
    ones = np.ones_like(constant)
    match op:
        case AddOp():
            return ones, constant
        case MulOp():
            return constant, np.zeros_like(constant)
        case SubOp():
            return (-ones, constant) if swapped else (ones, -constant)
