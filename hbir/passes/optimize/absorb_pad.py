"""Put a zero padding of H and W into the convolution or average pool that reads it."""

from __future__ import annotations

from typing import Any

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.hbir.conv import Conv2dOp
from hbir.dialects.hbir.move import PadOp
from hbir.dialects.hbir.pool import AvgPoolOp
from hbir.ir.op import ShapeError
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.passes.graph import defined_by


class AbsorbPadPass(ModulePass):
    """pad → conv2d and pad → avg_pool become one op, whose own padding grows."""

    name = "absorb-pad"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {Conv2dOp: absorb, AvgPoolOp: absorb})


def absorb(op: Conv2dOp | AvgPoolOp, rewrite: Rewrite) -> None:
    """A pool must count its padding (its own too), else the mean would change.

    With ceilMode, what a window reaches beyond the padding isn't counted, so the count depends on
    which of the two ops pads: such pools stay.
    """
    pad = defined_by(op.x, PadOp)
    if pad is None or not _pads_zeros_spatially(pad):
        return
    properties: dict[str, Any] = dict(op.properties)
    if isinstance(op, AvgPoolOp) and (
        not op.params()["count_include_pad"] or op.params()["ceil_mode"]
    ):
        return
    begin, end = pad.params()["begin"], pad.params()["end"]
    more = (begin[1], begin[2], end[1], end[2])
    if min(op.params()["pad"]) < 0:
        return
    properties["pad"] = [a + b for a, b in zip(op.params()["pad"], more, strict=True)]
    try:
        new = type(op).make(pad.x, *op.operands[1:], **properties)
    except ShapeError:
        return  # a pool takes no padding as large as its window
    rewrite.replace(op, new, also=[pad])


def _pads_zeros_spatially(pad: PadOp) -> bool:
    params = pad.params()
    begin, end = params["begin"], params["end"]
    if len(begin) != 4 or params["pad_value"] != 0:
        return False
    return not (begin[0] or begin[3] or end[0] or end[3])
