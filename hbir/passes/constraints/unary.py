"""Elementary functions, which are tables on the BPU."""

from __future__ import annotations

from hbir.dialects.hbir.unary import (
    AbsOp,
    AcoshOp,
    AcosOp,
    AsinhOp,
    AsinOp,
    AtanhOp,
    AtanOp,
    CeilOp,
    CoshOp,
    CosOp,
    ErfOp,
    FloorOp,
    LogOp,
    NegOp,
    RoundOp,
    RsqrtOp,
    SignOp,
    SinhOp,
    SinOp,
    SqrtOp,
    TanOp,
)
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data

UNARY_OPS = (
    *(AbsOp, NegOp, SignOp, FloorOp, CeilOp, RoundOp, SqrtOp, RsqrtOp, LogOp, ErfOp),
    *(SinOp, CosOp, TanOp, SinhOp, CoshOp, AsinOp, AcosOp, AtanOp, AsinhOp, AcoshOp, AtanhOp),
)

CONSTRAINTS: ConstraintTable = dict.fromkeys(UNARY_OPS, (constraint_float_data,))
