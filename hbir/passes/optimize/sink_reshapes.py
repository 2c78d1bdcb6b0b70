"""Move reshapes that only add or drop axes of extent 1 behind what works on each element.

One-dimensional convolutions are convolutions of one row: frontends put such a reshape before and
after each. Behind batch norms, activations and additions it meets the next one and goes; what was
in between then stands directly behind its convolution, which absorbs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import PreluOp
from hbir.dialects.hbir.base import UnaryOp
from hbir.dialects.hbir.elementwise import BinaryOp
from hbir.dialects.hbir.move import PadOp, ReshapeOp
from hbir.dialects.hbir.norm import BatchnormOp
from hbir.ir.function import body_of, functions_of
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite, erase_dead_ops
from hbir.ir.types import shape_of
from hbir.passes.gemm import as_gemm
from hbir.passes.graph import defined_by, derive_origin

_AXES = ("dim", "dims", "axis")
"""Properties that name an axis, which a reshape renumbers."""


class SinkReshapesPass(ModulePass):
    """Move reshapes of extents of 1 behind element-wise ops, batch norms and pads."""

    name = "sink-reshapes"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite = Rewrite(ctx)
        for function in functions_of(op):
            for inner in list(body_of(function).ops):
                if isinstance(inner, PadOp):
                    _sink_behind_pad(inner, rewrite)
                    continue
                operands = _operands_before_reshape(inner, rewrite)
                if operands is not None and isinstance(inner, TensorOp):
                    _sink(inner, operands, rewrite)
        erase_dead_ops(op)


def _sink_behind_pad(op: PadOp, rewrite: Rewrite) -> None:
    """Pads of axes that the reshape keeps; the axes that it adds or drops must have none."""
    source, params = _reshaped(op.x), op.params()
    sides = list(zip(shape_of(op.x), params["begin"], params["end"], strict=True))
    if source is None or any(any(pads) for extent, *pads in sides if extent == 1):
        return
    kept = iter([pads for extent, *pads in sides if extent != 1])
    moved = [[0, 0] if extent == 1 else next(kept) for extent in shape_of(source)]
    begin, end = [before for before, _ in moved], [after for _, after in moved]
    _sink(op, [source], rewrite, begin=begin, end=end)


def _sink(
    op: TensorOp, operands: Sequence[SSAValue], rewrite: Rewrite, **changed: Sequence[int]
) -> None:
    properties: dict[str, Any] = {**op.properties, **changed}
    new = type(op).make(*operands, **properties)
    rewrite.insert(new, before=op)
    derive_origin(new, op, "unreshaped")
    rewrite.replace(op, ReshapeOp.make(new.output, shape=list(shape_of(op.output))))


def _operands_before_reshape(op: Operation, rewrite: Rewrite) -> list[SSAValue] | None:
    """The operands with which `op` computes the same before a reshape; None where it can't."""
    if isinstance(op, BatchnormOp | PreluOp):
        source = _reshaped(op.x)
        if source is None or shape_of(source)[-1:] != shape_of(op.x)[-1:]:
            return None
        slope_varies = isinstance(op, PreluOp) and len(shape_of(op.slope)) > 1
        return None if slope_varies else [source, *op.operands[1:]]
    if isinstance(op, UnaryOp) and not any(name in op.properties for name in _AXES):
        source = _reshaped(op.x)
        return None if source is None else [source]
    return _binary_operands(op, rewrite) if isinstance(op, BinaryOp) else None


def _binary_operands(op: BinaryOp, rewrite: Rewrite) -> list[SSAValue] | None:
    """Operands of one shape, or a constant that is the same everywhere or differs by channel.

    An operand without such a reshape gets the reverse of the other's, which stands between it and
    the convolution that it comes from: that one's shape is kept, then, for `op` is fused with it.
    """
    shape = shape_of(op.output)
    # What broadcasts has fewer elements than the result: its shape isn't one for the others.
    sources = [_reshaped(value) if shape_of(value) == shape else None for value in op.operands]
    found = [value for value in sources if value is not None]
    if not found:
        return None
    source = next((value for value in found if _is_convolved(value, rewrite)), found[0])
    operands: list[SSAValue] = []
    for value, before in zip(op.operands, sources, strict=True):
        if before is not None and shape_of(value) == shape and shape_of(before) == shape_of(source):
            operands.append(before)
        elif rewrite.constant_value(value) is not None and _follows_channels(value, source, shape):
            operands.append(_flat(value, rewrite, op))
        elif shape_of(value) == shape and not _is_convolved(value, rewrite):
            reshape = ReshapeOp.make(value, shape=list(shape_of(source)))
            derive_origin(rewrite.insert(reshape, before=op), op, "reshaped")
            operands.append(reshape.output)
        else:
            return None
    return operands


def _is_convolved(value: SSAValue, rewrite: Rewrite) -> bool:
    """Whether a convolution or linear layer makes a value that nothing else reads, or will once it
    has absorbed a batch norm and constants."""
    while value.has_one_use():
        op = value.owner
        if isinstance(op, Operation) and as_gemm(op) is not None:
            return True
        if isinstance(op, BatchnormOp):
            value = op.x
            continue
        if not isinstance(op, BinaryOp):
            return False
        computed = [side for side in op.operands if rewrite.constant_value(side) is None]
        if len(computed) != 1:
            return False
        value = computed[0]
    return False


def _follows_channels(value: SSAValue, source: SSAValue, shape: tuple[int, ...]) -> bool:
    """Whether a constant differs along the last axis alone, which the reshape keeps."""
    extents = shape_of(value)
    same_last = shape_of(source)[-1:] == shape[-1:]
    return not any(extent != 1 for extent in extents[:-1]) and (
        same_last or extents[-1:] in ((), (1,))
    )


def _flat(value: SSAValue, rewrite: Rewrite, before: Operation) -> SSAValue:
    """A constant without leading axes of extent 1, which might broadcast to a rank too high."""
    if len(shape_of(value)) <= 1:
        return value
    array = rewrite.constant_value(value)
    assert array is not None  # the caller asked
    return rewrite.constant(array.reshape(-1), before=before)


def _reshaped(value: SSAValue) -> SSAValue | None:
    """What a reshape of extents of 1 alone reads; None for all else."""
    reshape = defined_by(value, ReshapeOp)
    if reshape is None:
        return None
    before, after = shape_of(reshape.x), shape_of(value)
    kept = [extent for extent in before if extent != 1]
    return reshape.x if kept == [extent for extent in after if extent != 1] else None
