"""Elements chosen by indices, and the best ones: argmax, top-k, sampling."""

from __future__ import annotations

from hbir.dialects.hbir.argmax import ReduceArgmaxOp, ReduceArgminOp
from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.dialects.hbir.index import GatherElementsOp, IndexOp
from hbir.dialects.hbir.topk import TopkOp
from hbir.ir.types import F32, element_of, shape_of
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data

MAX_EXTENT = 32768
"""Of an axis that a tile needs whole. 32768 rows of 16 bytes, the narrowest tile of channels, are
512 KiB: what any march keeps on chip beside the rest."""


def constraint_indexed_data(op: IndexOp | GatherElementsOp) -> str | None:
    """What is indexed must hold f32, which is what gets quantized."""
    element = element_of(op.x)
    return f"it holds {element}" if element != F32 else None


def constraint_indexed_extent(op: IndexOp | GatherElementsOp) -> str | None:
    """An indexed axis may have at most 32768 elements, which must be on chip together."""
    axis: int = op.params()["dim"]
    extent = shape_of(op.x)[axis]
    return f"this one has {extent}" if extent > MAX_EXTENT else None


def constraint_ordered_data(op: ReduceArgmaxOp | ReduceArgminOp | TopkOp) -> str | None:
    """What is compared must hold f32, which is what gets quantized."""
    element = element_of(op.x)
    return f"it holds {element}" if element != F32 else None


def constraint_argmax_extent(op: ReduceArgmaxOp | ReduceArgminOp) -> str | None:
    """An argmax may be over at most 32767 elements."""
    axis: int = op.params()["dims"][0]
    extent = shape_of(op.x)[axis]
    return f"this one is over {extent}" if extent >= MAX_EXTENT else None


def constraint_topk_extent(op: TopkOp) -> str | None:
    """A top-k may be of at most 32768 elements, which must be on chip together."""
    axis: int = op.params()["dim"]
    extent = shape_of(op.x)[axis]
    return f"this one is of {extent}" if extent > MAX_EXTENT else None


def constraint_sampled_image(op: GridSampleOp) -> str | None:
    """A sampled image may have at most 32768 positions, which must be on chip together."""
    _, height, width, _ = shape_of(op.x)
    return f"this one has {height * width}" if height * width > MAX_EXTENT else None


INDEXING = (constraint_indexed_data, constraint_indexed_extent)
ARGMAX = (constraint_ordered_data, constraint_argmax_extent)

CONSTRAINTS: ConstraintTable = {
    IndexOp: INDEXING,
    GatherElementsOp: INDEXING,
    ReduceArgmaxOp: ARGMAX,
    ReduceArgminOp: ARGMAX,
    TopkOp: (constraint_ordered_data, constraint_topk_extent),
    GridSampleOp: (constraint_float_data, constraint_sampled_image),
}
