"""Layer norm, root-mean-square norm and group norm, of which the last is decomposed before."""

from __future__ import annotations

from hbir.dialects.hbir.layernorm import LayernormOp, NormOp, RmsNormOp
from hbir.ir.types import shape_of
from hbir.kernels.norm_parameters import LAYERNORM_ELEMENTS_MAX, RMS_NORM_ELEMENTS_MAX
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data
from hbir.passes.graph import is_constant


def constraint_last_axis(op: LayernormOp | RmsNormOp) -> str | None:
    """It must be over the last axis, to which decompose-layernorm moves all others.

    Transpose so that the normalised axis comes last.
    """
    dims = {dim % len(shape_of(op.x)) for dim in op.params()["dims"]}
    return None if dims == {len(shape_of(op.x)) - 1} else f"this one is over {sorted(dims)}"


def constraint_constant_affine(op: NormOp) -> str | None:
    """Weight and bias must be constants.

    Export weight and bias as constants, or multiply and add after the norm.
    """
    return None if all(map(is_constant, op.affine)) else "they are computed"


def constraint_norm_elements(op: LayernormOp | RmsNormOp) -> str | None:
    """A layer norm may be over at most 65536 elements, without a mean over 32768, so that 64 bits
    always hold the squares.

    Normalise over fewer elements, in groups.
    """
    limit = LAYERNORM_ELEMENTS_MAX if isinstance(op, LayernormOp) else RMS_NORM_ELEMENTS_MAX
    count = shape_of(op.x)[-1]
    return f"this one is over {count}" if count > limit else None


NORM = (
    constraint_float_data,
    constraint_last_axis,
    constraint_constant_affine,
    constraint_norm_elements,
)

CONSTRAINTS: ConstraintTable = {LayernormOp: NORM, RmsNormOp: NORM}
