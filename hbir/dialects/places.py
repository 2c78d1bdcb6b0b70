"""Tensors on chip that lie inside others: operands of a concat, results of a slice.

The allocation says where each tensor lies; a concat's operand that lies just where its part of the
result is, or a slice's result that lies where its operand has it, needs no instruction. They share
one buffer, so that waits see that one is the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, SSAValue

from hbir.dialects.bpu.schedule import AllocAttr
from hbir.dialects.layers import allocs_of, body_ops, is_on_chip, layer_of
from hbir.ir.types import shape_of


@dataclass(frozen=True)
class Place:
    """Where a tensor lies: `origin`, in coordinates of the tensor `root`."""

    root: SSAValue
    origin: tuple[int, ...]


def places_in(function: FuncOp) -> dict[SSAValue, Place]:
    """The place of every tensor on chip; one that lies in no other is its own root."""
    parents: dict[SSAValue, Place] = {}
    onchip: list[SSAValue] = []
    for body_op in body_ops(function):
        op = body_op.op
        if not body_op.is_layer or not is_on_chip(op.results[0]):
            continue
        onchip.append(op.results[0])
        if op.name == "bpu.concat":
            _concat(op, parents)
        elif op.name == "bpu.slice" and is_on_chip(op.operands[0]):
            begin = tuple(int(b) for b in layer_of(op).params["begin"])
            _add(parents, op.results[0], op.operands[0], begin)
    places: dict[SSAValue, Place] = {}
    for value in onchip:
        root, origin = value, (0,) * len(shape_of(value))
        while root in parents:
            parent = parents[root]
            origin = tuple(a + b for a, b in zip(origin, parent.origin, strict=True))
            root = parent.root
        places[value] = Place(root, origin)
    return places


def _concat(op: Operation, parents: dict[SSAValue, Place]) -> None:
    rank = len(shape_of(op.results[0]))
    axis = int(layer_of(op).params["dim"]) % rank
    before = 0
    for value in op.operands:
        origin = tuple(before if a == axis else 0 for a in range(rank))
        if isinstance(value, OpResult) and is_on_chip(value):
            inner, start = value, origin
            if value in parents:  # a slice: what it is a slice of may lie in the concat
                inner = parents[value].root
                start = tuple(a - b for a, b in zip(origin, parents[value].origin, strict=True))
            if inner not in parents and min(start, default=0) >= 0:
                _add(parents, inner, op.results[0], start)
        before += shape_of(value)[axis]


def _add(
    parents: dict[SSAValue, Place], child: SSAValue, parent: SSAValue, origin: tuple[int, ...]
) -> None:
    """Note that `child` lies in `parent` at `origin`, if its allocation says so."""
    inner, outer = _alloc(child), _alloc(parent)
    if inner is None or outer is None or not inner.byte_strides:
        return
    offset = sum(n * s for n, s in zip(origin, inner.byte_strides, strict=True))
    if inner.offset.data == outer.offset.data + offset and inner.rows == outer.rows:
        parents[child] = Place(parent, origin)


def _alloc(value: SSAValue) -> AllocAttr | None:
    """The allocation of an op's result; None for a reshape, which has none of its own."""
    if not isinstance(value, OpResult) or "alloc" not in value.op.attributes:
        return None
    return allocs_of(value.op)[0]
