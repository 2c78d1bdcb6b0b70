"""Element-wise ops that together are a function of one tensor's elements, evaluated as such.

A cone is what lies between a value and one of its ancestors when every path from the one to the
other goes through element-wise ops, beside numbers alone. `x·sigmoid(x)` is a cone over x.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.ir import Operation, SSAValue

from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, DivOp, MaxOp, MinOp, MulOp, PowOp, SubOp
from hbir.ir.op import TensorOp
from hbir.ir.types import Array, shape_of
from hbir.ir.weights import WeightStore
from hbir.kernels.functions import power, table_function
from hbir.passes.graph import is_constant, splat
from hbir.passes.tables import TABLE_OPS

MAX_OPS = 12
"""Ops of the largest cone looked at: exporters write gelu with at most ten."""

_BINARY: dict[type[Operation], Callable[[Any, Any], Array]] = {
    AddOp: np.add,
    SubOp: np.subtract,
    MulOp: np.multiply,
    DivOp: np.divide,
    MaxOp: np.maximum,
    MinOp: np.minimum,
    PowOp: power,
}


@dataclass(frozen=True)
class Cone:
    """The function of `source` that `ops` compute, the last of them being its result."""

    source: SSAValue
    ops: tuple[TensorOp, ...]
    """In program order."""

    def evaluate(self, x: Array, weights: WeightStore) -> Array:
        """The result where the source is the float64 `x`."""
        known: dict[SSAValue, Array | float] = {self.source: x}

        def value_of(value: SSAValue) -> Array | float:
            if value in known:
                return known[value]
            number = _number(value, weights)
            assert number is not None  # `cones_below` looked at every operand
            return number

        result: Array = x
        for op in self.ops:
            operands = [value_of(operand) for operand in op.operands]
            with np.errstate(all="ignore"):
                if isinstance(op, TABLE_OPS):
                    result = table_function(op.name.partition(".")[2], **op.params())(
                        np.asarray(operands[0])
                    )
                else:
                    result = _BINARY[type(op)](*operands)
            known[op.output] = result
        return result


def cones_below(op: TensorOp, order: dict[Operation, int], weights: WeightStore) -> Iterator[Cone]:
    """The cones that end with `op`, the smallest first. `order`: the position of each op."""
    members: list[TensorOp] = []
    frontier: set[SSAValue] = {op.output}
    while len(members) < MAX_OPS:
        last = max(frontier, key=lambda value: _position(value, order))
        operands = _operands(last, op, weights)
        if operands is None:
            return
        owner = last.owner
        assert isinstance(owner, TensorOp)  # `_operands` gives none for other values
        members.append(owner)
        frontier.remove(last)
        frontier.update(operands)
        if len(frontier) == 1:
            yield Cone(next(iter(frontier)), tuple(reversed(members)))


def _position(value: SSAValue, order: dict[Operation, int]) -> int:
    return order.get(value.owner, -1) if isinstance(value.owner, Operation) else -1


def _operands(value: SSAValue, root: TensorOp, weights: WeightStore) -> list[SSAValue] | None:
    """What a value is computed from, numbers left out; None where that isn't element-wise."""
    owner = value.owner
    if not isinstance(owner, TensorOp) or shape_of(value) != shape_of(root.output):
        return None
    if isinstance(owner, TABLE_OPS):
        return [owner.operands[0]]
    if not isinstance(owner, BinaryOp) or type(owner) not in _BINARY:
        return None
    tensors = [operand for operand in owner.operands if _number(operand, weights) is None]
    fits = all(shape_of(operand) == shape_of(root.output) for operand in tensors)
    return tensors if fits and tensors else None


def _number(value: SSAValue, weights: WeightStore) -> float | None:
    if not is_constant(value) or not isinstance(value.owner, Operation):
        return None
    return splat(weights.array(value.owner.properties["values"]))
