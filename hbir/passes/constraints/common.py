"""Constraints that several families share."""

from __future__ import annotations

from hbir.ir.op import TensorOp
from hbir.ir.types import F32, element_of
from hbir.passes.constraints import ConstraintTable


def constraint_float_data(op: TensorOp) -> str | None:
    """The tensors must hold f32, which is what gets quantized.

    Cast integers to float32 before the op, or compute them outside the network.
    """
    for value in (*op.operands, op.output):
        if element_of(value) != F32:
            return f"one holds {element_of(value)}"
    return None


CONSTRAINTS: ConstraintTable = {}
