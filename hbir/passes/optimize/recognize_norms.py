"""Find layer norms and root-mean-square norms that exporters write as several ops.

Each becomes one op, which the BPU computes from exact sums, instead of six quantized steps whose
intermediates (squares, variances) 8 bits don't hold. Multiplications and additions of constants
behind a norm become its weight and bias.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import ReciprocalOp
from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, DivOp, MulOp, PowOp, SubOp
from hbir.dialects.hbir.layernorm import LayernormOp, NormOp, RmsNormOp
from hbir.dialects.hbir.reduce import ReduceMeanOp
from hbir.dialects.hbir.unary import RsqrtOp, SqrtOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import Array, shape_of
from hbir.passes.graph import defined_by, splat


class RecognizeNormsPass(ModulePass):
    """(x − mean x) / √(mean (x − mean x)² + eps) is layernorm; x / √(mean x² + eps) rms_norm."""

    name = "recognize-norms"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(
            ctx,
            op,
            {
                DivOp: quotient_to_norm,
                MulOp: (product_to_norm, absorb_weight),
                AddOp: absorb_bias,
            },
        )


def quotient_to_norm(op: DivOp, rewrite: Rewrite) -> None:
    """x / √(...)."""
    root = defined_by(op.rhs, SqrtOp)
    if root is not None:
        _norm(op, op.lhs, root.x, [root], rewrite)


def product_to_norm(op: MulOp, rewrite: Rewrite) -> None:
    """x · 1/√(...), in each of the ways to write the latter."""
    for value, factor in _sides(op):
        for square, steps in _inverse_roots(factor, rewrite):
            if op.parent is not None and _norm(op, value, square, steps, rewrite):
                return


def _inverse_roots(value: SSAValue, rewrite: Rewrite) -> Iterator[tuple[SSAValue, list[Operation]]]:
    """(v, ops) where `value` is 1 / √v."""
    rsqrt, reciprocal = defined_by(value, RsqrtOp), defined_by(value, ReciprocalOp)
    quotient, power = defined_by(value, DivOp), defined_by(value, PowOp)
    if rsqrt is not None:
        yield rsqrt.x, [rsqrt]
    below: SSAValue | None = None
    if reciprocal is not None:
        below = reciprocal.x
    elif quotient is not None and splat(rewrite.constant_value(quotient.lhs)) == 1:
        below = quotient.rhs
    root = None if below is None else defined_by(below, SqrtOp)
    if root is not None:
        steps: list[Operation] = [op for op in (reciprocal, quotient) if op is not None]
        yield root.x, [*steps, root]
    if power is not None and splat(rewrite.constant_value(power.rhs)) == -0.5:
        yield power.lhs, [power]


def _norm(
    op: BinaryOp, value: SSAValue, square: SSAValue, steps: list[Operation], rewrite: Rewrite
) -> bool:
    """Replace value / √square where `square` is mean(value²) + eps."""
    addition = defined_by(square, AddOp)
    if addition is None or shape_of(op.output) != shape_of(value):
        return False
    for mean_value, number in _sides(addition):
        eps = splat(rewrite.constant_value(number))
        mean = defined_by(mean_value, ReduceMeanOp)
        if eps is None or mean is None or not mean.params()["keep_dim"]:
            continue
        squared = _squared(mean.x, rewrite)
        if squared is None:
            continue
        used: list[Operation] = [*steps, addition, mean, squared[1]]
        dims: tuple[int, ...] = mean.params()["dims"]
        centred = _centred(value, dims), _centred(squared[0], dims)
        if centred[0] is not None and centred[1] is not None and centred[0][0] is centred[1][0]:
            source, subtractions = centred[0][0], [*centred[1][1], *centred[0][1]]
            new: NormOp = LayernormOp.make(source, dims=dims, eps=eps)
            rewrite.replace(op, new, also=list(dict.fromkeys([*used, *subtractions])))
            return True
        if squared[0] is value:
            new = RmsNormOp.make(value, dims=dims, eps=eps)
            rewrite.replace(op, new, also=used)
            return True
    return False


def _squared(value: SSAValue, rewrite: Rewrite) -> tuple[SSAValue, Operation] | None:
    """(x, op) where `value` is x², computed by `op`."""
    product, power = defined_by(value, MulOp), defined_by(value, PowOp)
    if product is not None and product.lhs is product.rhs:
        return product.lhs, product
    if power is not None and splat(rewrite.constant_value(power.rhs)) == 2:
        return power.lhs, power
    return None


def _centred(value: SSAValue, dims: tuple[int, ...]) -> tuple[SSAValue, list[Operation]] | None:
    """(x, ops) where `value` is x − mean(x) over `dims`."""
    difference = defined_by(value, SubOp)
    mean = None if difference is None else defined_by(difference.rhs, ReduceMeanOp)
    if difference is None or mean is None or mean.x is not difference.lhs:
        return None
    params, rank = mean.params(), len(shape_of(value))
    same = {axis % rank for axis in params["dims"]} == {axis % rank for axis in dims}
    return (mean.x, [difference, mean]) if same and params["keep_dim"] else None


def absorb_weight(op: MulOp, rewrite: Rewrite) -> None:
    """norm(x) · c, c varying along the normalised axes alone."""
    found = _norm_and_constant(op, rewrite)
    if found is None:
        return
    norm, constant = found
    parts = [rewrite.constant_value(parameter) for parameter in norm.affine]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return
    scaled = [part * constant for part in known] or [constant]
    affine = [rewrite.constant(part.astype(np.float32), before=op) for part in scaled]
    rewrite.replace(op, _again(norm, affine), also=[norm])


def absorb_bias(op: AddOp, rewrite: Rewrite) -> None:
    """layernorm(x) + c, c varying along the normalised axes alone."""
    found = _norm_and_constant(op, rewrite)
    if found is None or not isinstance(found[0], LayernormOp):
        return
    norm, constant = found
    parts = [rewrite.constant_value(parameter) for parameter in norm.affine]
    weight = parts[0] if parts else np.ones_like(constant)
    bias = parts[1] if len(parts) > 1 else np.zeros_like(constant)
    if weight is None or bias is None:
        return
    affine = [rewrite.constant(part, before=op) for part in (weight, bias + constant)]
    rewrite.replace(op, _again(norm, affine), also=[norm])


def _again(norm: NormOp, affine: list[SSAValue]) -> NormOp:
    properties: dict[str, Any] = dict(norm.properties)
    return type(norm).make(norm.x, *affine, **properties)


def _norm_and_constant(
    op: MulOp | AddOp, rewrite: Rewrite
) -> tuple[LayernormOp | RmsNormOp, Array] | None:
    """The norm on one side, which nothing else reads, and the other side as its parameter."""
    for value, other in _sides(op):
        norm = defined_by(value, LayernormOp) or defined_by(value, RmsNormOp)
        array = rewrite.constant_value(other)
        if norm is None or array is None or not value.has_one_use():
            continue
        shape = shape_of(value)
        if shape != shape_of(op.output):
            continue
        dims: tuple[int, ...] = norm.params()["dims"]
        axes = sorted({axis % len(shape) for axis in dims})
        full = array.reshape((1,) * (len(shape) - array.ndim) + array.shape)
        if any(size != 1 for axis, size in enumerate(full.shape) if axis not in axes):
            continue
        extents = [shape[axis] for axis in axes]
        row = full.reshape([full.shape[axis] for axis in axes])
        return norm, np.ascontiguousarray(np.broadcast_to(row, extents), np.float32)
    return None


def _sides(op: BinaryOp) -> tuple[tuple[SSAValue, SSAValue], ...]:
    return (op.lhs, op.rhs), (op.rhs, op.lhs)
