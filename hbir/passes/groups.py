"""Fusion groups: the float ops that the BPU computes as one convolution.

Conv2d, convtranspose or linear with constant weights, then optionally an addition of another
tensor of the same shape, then optionally relu or clip. The ops of a group share the discardable
attribute `fusion_group = N`. Between them nothing is quantized: the sum stays in the accumulator.

Chains of functions of one element, which are one table (`tables.py`), share the attribute too, for
the same reason; `FusionGroup` is about convolutions alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects.builtin import IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, SSAValue, Use

from hbir.dialects.hbir.activation import ClipOp, ReluOp
from hbir.dialects.hbir.elementwise import AddOp
from hbir.ir.function import body_of
from hbir.ir.op import TensorOp
from hbir.passes.gemm import GemmOp, as_gemm

ATTRIBUTE = "fusion_group"
"""Key of the discardable attribute."""


@dataclass(frozen=True)
class FusionGroup:
    """The ops of one group; `residual` is the tensor that `add` adds to the GEMM's result."""

    gemm: GemmOp
    add: AddOp | None = None
    residual: SSAValue | None = None
    activation: ReluOp | ClipOp | None = None

    @property
    def last(self) -> TensorOp:
        """The op whose result is the group's."""
        return self.activation or self.add or self.gemm

    @property
    def output(self) -> SSAValue:
        """The group's result."""
        return self.last.output

    @property
    def ops(self) -> list[TensorOp]:
        """The ops of the group, users first."""
        found: list[TensorOp | None] = [self.activation, self.add, self.gemm]
        return [op for op in found if op is not None]


def group_number(op: Operation) -> int | None:
    """The number of the group an op belongs to, or None."""
    attribute = op.attributes.get(ATTRIBUTE)
    return attribute.value.data if isinstance(attribute, IntegerAttr) else None


def group_ending_at(op: Operation) -> FusionGroup | None:
    """The group whose last op is `op`; None when `op` is inside a group or in none.

    A GEMM without the attribute is a group of itself.
    """
    number = group_number(op)
    if number is not None and any(group_number(use.operation) == number for use in _uses(op)):
        return None
    activation = op if isinstance(op, ReluOp | ClipOp) and number is not None else None
    tail = _member(activation.x, number) if activation is not None else op
    add = tail if isinstance(tail, AddOp) and number is not None else None
    if add is None:
        gemm = as_gemm(tail)
        return None if gemm is None else FusionGroup(gemm, activation=activation)
    for value, residual in ((add.lhs, add.rhs), (add.rhs, add.lhs)):
        gemm = as_gemm(_member(value, number))
        if gemm is not None:
            return FusionGroup(gemm, add, residual, activation)
    return None


def is_inside_group(op: Operation) -> bool:
    """Whether the op's result goes nowhere but to the next op of its group."""
    number = group_number(op)
    return number is not None and any(group_number(u.operation) == number for u in _uses(op))


def groups_of(function: FuncOp) -> Iterator[FusionGroup]:
    """The groups of a function, by the place of their last op."""
    for op in body_of(function).ops:
        group = group_ending_at(op)
        if group is not None:
            yield group


def _uses(op: Operation) -> Iterator[Use]:
    for result in op.results:
        yield from result.uses


def _member(value: SSAValue, number: int | None) -> Operation | None:
    """The op that defines `value` if it is of the group `number`."""
    if isinstance(value, OpResult) and group_number(value.op) == number:
        return value.op
    return None
