"""What an op needs on chip however small its tiles are: axes that no tile can cut.

An indexed table, a sampled image and an axis that is sorted are read in an order that only the data
tells. `place-ops` compares them with the march's memory before anything is scheduled.
"""

from __future__ import annotations

from xdsl.ir import Operation

from hbir.backend.march import Machine
from hbir.dialects.hbir.argmax import ReduceArgmaxOp, ReduceArgminOp
from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.dialects.hbir.index import GatherElementsOp, IndexOp
from hbir.dialects.hbir.topk import TopkOp
from hbir.ir.types import shape_of

LEAST_L1_BYTES = 512 * 1024
"""The smallest of the known marches, for a module that doesn't say its march."""

SPARE_BYTES = 16 * 1024
"""For the rest of the smallest tile: indices, result, alignment."""


def too_large_for(op: Operation, machine: Machine | None) -> str | None:
    """Why what a tile of `op` needs whole doesn't fit the machine's memory; None when it does.

    Without a machine it must fit the smallest march.
    """
    elements = _whole_elements(op)
    if elements is None:
        return None
    # The narrowest tile is one lane group of the last axis wide.
    width = 16 if machine is None else machine.memory.channel_align_bytes
    l1 = LEAST_L1_BYTES if machine is None else machine.memory.l1_bytes
    needed = elements * width + SPARE_BYTES
    if needed <= l1:
        return None
    name = "the smallest march" if machine is None else machine.name
    return (
        f"{elements} places that it may read at any time need {needed} bytes on chip, {name} has"
        f" {l1}"
    )


def _whole_elements(op: Operation) -> int | None:
    match op:
        case IndexOp() | GatherElementsOp():
            axis: int = op.params()["dim"]
            return shape_of(op.x)[axis]
        case TopkOp():
            axis = op.params()["dim"]
            return shape_of(op.x)[axis] + op.params()["k"]
        case ReduceArgmaxOp() | ReduceArgminOp():
            axis = op.params()["dims"][0]
            return shape_of(op.x)[axis]
        case GridSampleOp():
            return shape_of(op.x)[1] * shape_of(op.x)[2]
        case _:
            return None
