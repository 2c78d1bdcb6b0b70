"""What passes that move transposes ask of an op: where its axes are, whether one can pass it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from xdsl.ir import Block, BlockArgument, Operation, OpResult, SSAValue

from hbir.dialects.hbir.activation import PreluOp
from hbir.dialects.hbir.base import UnaryOp
from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.comparison import ComparisonOp, LogicalNotOp, LogicOp, WhereOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.elementwise import BinaryOp
from hbir.dialects.hbir.move import PadOp, SliceOp, TileOp, TransposeOp
from hbir.dialects.hbir.norm import LogSoftmaxOp, SoftmaxOp
from hbir.dialects.hbir.reduce import CumsumOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.ir.op import TensorOp
from hbir.ir.origin import Origin
from hbir.ir.types import element_of, shape_of
from hbir.passes.permutation import Dims, moves_nothing

ELEMENT_WISE = (UnaryOp, CastTypeOp, LogicalNotOp)
BROADCASTING = (BinaryOp, PreluOp, ComparisonOp, LogicOp, WhereOp)
PER_AXIS: dict[type[Operation], tuple[str, ...]] = {
    SliceOp: ("begin", "end", "step"),
    PadOp: ("begin", "end"),
    TileOp: ("multiplies",),
}
"""Ops with lists of one entry per axis."""

ALONG: dict[type[Operation], str] = {SoftmaxOp: "dim", LogSoftmaxOp: "dim", CumsumOp: "axis"}
"""Ops that work along one axis, and their property that says which."""


def dims_of(op: TransposeOp) -> Dims:
    """The permutation of a transpose."""
    return tuple(op.params()["dims"])


def source_of(value: SSAValue) -> tuple[SSAValue, Dims | None]:
    """(x, dims) of a value that is transpose(x, dims), else (value, None)."""
    if isinstance(value, OpResult) and isinstance(value.op, TransposeOp):
        return value.op.x, dims_of(value.op)
    return value, None


def elements_moved(value: SSAValue, dims: Dims) -> int:
    """Elements that transposing `value` by `dims` moves."""
    shape = shape_of(value)
    return 0 if moves_nothing(shape, dims) else math.prod(shape)


def is_constant_like(value: SSAValue) -> bool:
    """Whether a value is a constant, or one that is fake-quantized."""
    owner = value.owner
    if isinstance(owner, ConstFakeQuantOp):
        owner = owner.operands[0].owner
    return isinstance(owner, ConstantOp)


def moved_axis(op: TensorOp, dims: Dims) -> dict[str, Any]:
    """The axis that an op works along, or has a scale per channel of, before a transpose by
    `dims`."""
    key = "axis" if isinstance(op, ConstFakeQuantOp) else ALONG.get(type(op), "")
    axis = op.params().get(key)
    return {} if axis is None else {key: dims[axis]}


def moved_lists(op: TensorOp, dims: Dims) -> dict[str, Any]:
    """The per-axis lists of an op, for an operand transposed by `dims`."""
    params = op.params()
    return {
        name: [params[name][axis] for axis in dims]
        for name in PER_AXIS[type(op)]
        if params.get(name) is not None
    }


def remade(
    op: TensorOp, operands: Sequence[SSAValue], origin: Origin | None, changed: dict[str, Any]
) -> TensorOp:
    """The same op over other operands, with some properties changed."""
    properties: dict[str, Any] = {
        name: value for name, value in op.properties.items() if name not in op.HIDDEN_PROPERTIES
    }
    properties.update(changed)
    return type(op).make(*operands, origin=origin, element=element_of(op.output), **properties)


def reaches_edge(value: SSAValue, known: dict[SSAValue, bool]) -> bool:
    """Whether a transpose of `value` can move up to an input or into constants, over ops that only
    it reads."""
    chain: list[SSAValue] = []
    answer = False
    while value not in known:
        chain.append(value)
        owner = value.owner
        if isinstance(owner, Block | ConstantOp):
            # A transposed input stands at the edge already: it stops there.
            answer = bool(len(chain) > 1) or isinstance(owner, ConstantOp)
            break
        operands = _hoistable_operands(owner)
        if operands is None or not value.has_one_use():
            break
        value = operands[0]
    else:
        answer = known[value]
    for passed in chain:
        known[passed] = answer and not isinstance(passed, BlockArgument)
    return known.get(chain[0], answer) if chain else answer


def _hoistable_operands(op: Operation) -> list[SSAValue] | None:
    """The one operand that isn't constant (or the first); None when a transpose can't move up."""
    movable = isinstance(op, (*ELEMENT_WISE, *BROADCASTING, *PER_AXIS))
    if not movable or type(op) in ALONG:
        return None
    rank = len(shape_of(op.results[0]))
    computed = list(
        dict.fromkeys(value for value in op.operands if not isinstance(value.owner, ConstantOp))
    )
    if len(computed) > 1 or any(len(shape_of(value)) != rank for value in computed):
        return None
    return computed or [op.operands[0]]
