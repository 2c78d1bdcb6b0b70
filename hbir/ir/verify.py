"""The verifier: xDSL's own checks plus dominance, as one message about one op.

xDSL has no dominance check, and its diagnostics print the whole module, weights included.
"""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import (
    FileLineColLoc,
    NameLoc,
    NoneAttr,
    StringAttr,
    TensorType,
    UnregisteredOp,
)
from xdsl.ir import Attribute, Block, Operation, OpResult, SSAValue
from xdsl.traits import IsolatedFromAbove
from xdsl.utils.exceptions import VerifyException

from hbir.errors import HbirError


class VerifyError(HbirError):
    """An op that breaks an invariant; `op` is the op."""

    def __init__(self, op: Operation, reason: str) -> None:
        self.op = op
        self.reason = reason
        super().__init__(f"{describe_op(op)}: {reason}")


def location_of(op: Operation) -> str:
    """The op's location as text: the source tensor's name, file:line:column, or both; else ''."""
    return _location_text(op.location)


def _location_text(location: Attribute) -> str:
    if isinstance(location, NameLoc):
        place = _location_text(location.location)
        return f'"{location.desc.data}" at {place}' if place else f'"{location.desc.data}"'
    if isinstance(location, FileLineColLoc):
        return f"{location.filename.data}:{location.line.data}:{location.column.data}"
    return ""


def describe_op(op: Operation) -> str:
    """`hbir.conv2d ("conv1_out")`: what messages call an op."""
    name = op.op_name.data if isinstance(op, UnregisteredOp) else op.name
    where = location_of(op)
    return f"{name} ({where})" if where else name


def verify_module(module: Operation) -> None:
    """Check every op's own invariants and that values are defined before they are used.

    Raises VerifyError for the first op that breaks one. Linear in the number of ops.
    """
    for op in module.walk():
        try:
            op.verify(verify_nested_ops=False)
            _check_open_extents(op)
        except VerifyException as error:
            raise VerifyError(op, _one_line(str(error))) from error
        except HbirError as error:
            raise VerifyError(op, str(error)) from error
    _check_region_dominance(module, frozenset())


OPEN_READERS = ("hbir.roi_resize", "bpu.roi_resize")
"""Ops that read tensors whose extents each run gives; the first also as a CPU call."""


def _check_open_extents(op: Operation) -> None:
    """Only inputs of functions are open, and only ops that crop read them."""
    if any(_is_open(result) for result in op.results):
        raise VerifyError(op, "its result has open extents; only inputs of a function can")
    signature = op.properties.get("signature")
    called = signature.data if isinstance(signature, StringAttr) else ""
    if op.name in OPEN_READERS or called.partition("::")[2] in OPEN_READERS:
        return
    for index, operand in enumerate(op.operands):
        if _is_open(operand):
            raise VerifyError(
                op, f"operand {index} has open extents, which only hbir.roi_resize can read"
            )


def _is_open(value: SSAValue) -> bool:
    type_ = value.type
    if not isinstance(type_, TensorType):
        return False
    return not isinstance(cast(TensorType[Attribute], type_).encoding, NoneAttr)


def _one_line(text: str) -> str:
    """xDSL's messages put the reason on the second line, under what doesn't verify."""
    return " ".join(text.split()) or "does not verify"


def _check_region_dominance(op: Operation, outer: frozenset[SSAValue]) -> None:
    for region in op.regions:
        visible = frozenset[SSAValue]() if op.has_trait(IsolatedFromAbove) else outer
        blocks = list(region.blocks)
        for block in blocks:
            _check_block(block, visible, several=len(blocks) > 1)


def _check_block(block: Block, outer: frozenset[SSAValue], *, several: bool) -> None:
    """A value must be defined above in its block, in an enclosing block, or (in a region of
    several blocks, where order alone doesn't decide) in another block of the region."""
    seen: set[SSAValue] = set(block.args)
    for op in block.ops:
        for index, operand in enumerate(op.operands):
            if operand in seen or operand in outer:
                continue
            if several and _block_of(operand) is not block and _same_region(operand, block):
                continue
            raise VerifyError(
                op, f"operand {index} ({_value_name(operand)}) is used before it is defined"
            )
        if op.regions:
            _check_region_dominance(op, outer | seen)
        seen.update(op.results)


def _block_of(value: SSAValue) -> Block | None:
    owner = value.owner
    return owner if isinstance(owner, Block) else owner.parent


def _same_region(value: SSAValue, block: Block) -> bool:
    other = _block_of(value)
    return other is not None and other.parent is block.parent


def _value_name(value: SSAValue) -> str:
    if value.name_hint:
        return f"%{value.name_hint}"
    if isinstance(value, OpResult):
        return f"a result of {describe_op(value.op)}"
    return "a block argument"
