"""End pads of pools in ceil mode: the BPU's pools have none, their end pads say it all."""

from __future__ import annotations

from hbir.dialects.hbir.pool import AvgPoolOp, MaxPoolOp
from hbir.ir.types import shape_of


def overhang(op: MaxPoolOp | AvgPoolOp) -> tuple[int, int]:
    """How far (H, W) the last windows reach beyond the padding; 0 without ceil mode.

    Negative amounts (a stride that leaves a rest) count as 0.
    """
    params = op.params()
    found: list[int] = []
    for axis in range(2):
        extent = (params["kernel"][axis] - 1) * params["dilation"][axis] + 1
        reach = (shape_of(op.output)[1 + axis] - 1) * params["stride"][axis] + extent
        padded = shape_of(op.x)[1 + axis] + params["pad"][axis] + params["pad"][axis + 2]
        found.append(max(reach - padded, 0))
    return found[0], found[1]


def explicit_pads(op: MaxPoolOp | AvgPoolOp) -> list[int]:
    """[top, left, bottom, right] that give the same windows without ceil mode."""
    top, left, bottom, right = op.params()["pad"]
    more = overhang(op)
    return [top, left, bottom + more[0], right + more[1]]
