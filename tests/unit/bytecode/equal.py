"""Exact comparison of IR: what xDSL's own leaves out, locations above all, included.

SSA and block names are hints for printing, which bytecode doesn't hold. Dictionaries compare as
dictionaries: MLIR sorts them.
"""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    CallSiteLoc,
    FusedLoc,
    NameLoc,
    NoneAttr,
    UnknownLoc,
    UnregisteredOp,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.core import BlockArgument

from hbir.dialects.isa import ProgramAttr


def assert_equal(one: Operation, other: Operation) -> None:
    """Raises AssertionError at the first difference."""
    _Comparison().op(one, other)


class _Comparison:
    def __init__(self) -> None:
        self.values: dict[SSAValue, SSAValue] = {}
        self.blocks: dict[Block, Block] = {}
        self.uses: list[tuple[Operation, Operation]] = []

    def op(self, one: Operation, other: Operation) -> None:
        self._op(one, other)
        for first, second in self.uses:  # values may be used before they are defined
            operands = [self.values[operand] for operand in first.operands]
            assert operands == list(second.operands), f"operands of {first.name}"
            successors = [self.blocks[block] for block in first.successors]
            assert successors == list(second.successors), f"successors of {first.name}"

    def _op(self, one: Operation, other: Operation) -> None:
        assert name_of(one) == name_of(other)
        assert entries(one) == entries(other), f"attributes of {name_of(one)}"
        assert location(one.location) == location(other.location), f"location of {one.name}"
        assert [r.type for r in one.results] == [r.type for r in other.results]
        self.values.update(zip(one.results, other.results, strict=True))
        self.uses.append((one, other))
        for first, second in zip(one.regions, other.regions, strict=True):
            self._region(first, second)

    def _region(self, one: Region, other: Region) -> None:
        blocks, others = list(one.blocks), list(other.blocks)
        assert len(blocks) == len(others)
        self.blocks.update(zip(blocks, others, strict=True))
        for first, second in zip(blocks, others, strict=True):
            assert len(first.args) == len(second.args)
            for argument, its in zip(first.args, second.args, strict=True):
                self._argument(argument, its)
            ops, its_ops = list(first.ops), list(second.ops)
            assert [name_of(op) for op in ops] == [name_of(op) for op in its_ops]
            for op, its in zip(ops, its_ops, strict=True):
                self._op(op, its)

    def _argument(self, one: BlockArgument, other: BlockArgument) -> None:
        assert one.type == other.type
        assert location(one.location) == location(other.location)
        self.values[one] = other


def name_of(op: Operation) -> str:
    """The name that text gives an op."""
    return op.op_name.data if isinstance(op, UnregisteredOp) else op.name


def entries(op: Operation) -> tuple[dict[str, Any], dict[str, Any]]:
    """Properties and attributes; of an op without a definition, both as attributes.

    An assembled program compares by its text: its instructions are NumPy arrays.
    """
    if isinstance(op, UnregisteredOp):
        both = {**op.properties, **op.attributes}
        return {}, {key: value for key, value in both.items() if key != "op_name__"}
    properties = {
        key: str(value) if isinstance(value, ProgramAttr) else value
        for key, value in op.properties.items()
    }
    return properties, dict(op.attributes)


def location(attribute: Attribute) -> Any:
    """A location as MLIR sees it: none is the unknown one, fused ones are known ones, each once."""
    if isinstance(attribute, NoneAttr | UnknownLoc):
        return UnknownLoc()
    if isinstance(attribute, NameLoc):
        return ("name", attribute.desc, location(attribute.location))
    if isinstance(attribute, FusedLoc):
        parts = [location(part) for part in cast(Any, attribute.locations).data]
        known = list(dict.fromkeys(part for part in parts if part != UnknownLoc()))
        if isinstance(attribute.metadata, NoneAttr) and len(known) < 2:
            return known[0] if known else UnknownLoc()
        return ("fused", attribute.metadata, tuple(known))
    if isinstance(attribute, CallSiteLoc):
        return ("call", location(attribute.callee), location(attribute.caller))
    return attribute
