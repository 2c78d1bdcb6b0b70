"""Reductions over whole dimensions, and softmax."""

from __future__ import annotations

from math import prod

from hbir.dialects.hbir.norm import SoftmaxOp
from hbir.dialects.hbir.reduce import (
    ReduceMaxOp,
    ReduceMeanOp,
    ReduceMinOp,
    ReduceSumOp,
)
from hbir.ir.types import shape_of
from hbir.kernels.norm_parameters import SOFTMAX_CLASSES_MAX
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data

MAX_SUM_ELEMENTS = 1 << 22
"""2^22 elements of at most 2^8 (zero point included) stay inside the 32-bit sum."""


def constraint_sum_elements(op: ReduceMeanOp | ReduceSumOp) -> str | None:
    """A mean or sum may be over at most 4194304 elements, so that 32 bits always hold the sum.

    Reduce one axis after the other.
    """
    shape = shape_of(op.x)
    dims: tuple[int, ...] = op.params()["dims"]
    count = prod(shape[dim] for dim in dims)
    return f"this one is over {count}" if count > MAX_SUM_ELEMENTS else None


def constraint_softmax_classes(op: SoftmaxOp) -> str | None:
    """A softmax may have at most 131071 classes, so that 32 bits always hold the sum.

    Take the softmax outside the network, on the logits.
    """
    dim: int = op.params()["dim"]
    classes = shape_of(op.x)[dim]
    return f"this one has {classes}" if classes > SOFTMAX_CLASSES_MAX else None


CONSTRAINTS: ConstraintTable = {
    **dict.fromkeys((ReduceMeanOp, ReduceSumOp), (constraint_float_data, constraint_sum_elements)),
    **dict.fromkeys((ReduceMaxOp, ReduceMinOp), (constraint_float_data,)),
    SoftmaxOp: (constraint_float_data, constraint_softmax_classes),
}
