"""Elements chosen by indices, and the best ones: argmax, top-k, sampling."""

from __future__ import annotations

from hbir.dialects.hbir.argmax import ReduceArgmaxOp, ReduceArgminOp
from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.dialects.hbir.index import GatherElementsOp, IndexOp
from hbir.dialects.hbir.topk import TopkOp
from hbir.ir.types import F32, element_of, shape_of
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data

MAX_ARGMAX_EXTENT = 32767
"""As the published constraint says. What else must be whole on chip depends on the march:
`hbir/passes/onchip.py`."""


def constraint_indexed_data(op: IndexOp | GatherElementsOp) -> str | None:
    """What is indexed must hold f32, which is what gets quantized.

    Cast the indexed tensor to float32, or index it outside the network.
    """
    element = element_of(op.x)
    return f"it holds {element}" if element != F32 else None


def constraint_ordered_data(op: ReduceArgmaxOp | ReduceArgminOp | TopkOp) -> str | None:
    """What is compared must hold f32, which is what gets quantized.

    Cast what is compared to float32, or order it outside the network.
    """
    element = element_of(op.x)
    return f"it holds {element}" if element != F32 else None


def constraint_argmax_extent(op: ReduceArgmaxOp | ReduceArgminOp) -> str | None:
    """An argmax may be over at most 32767 elements.

    Take the argmax in two steps, over blocks and then over their maxima.
    """
    axis: int = op.params()["dims"][0]
    extent = shape_of(op.x)[axis]
    return f"this one is over {extent}" if extent > MAX_ARGMAX_EXTENT else None


ARGMAX = (constraint_ordered_data, constraint_argmax_extent)

CONSTRAINTS: ConstraintTable = {
    IndexOp: (constraint_indexed_data,),
    GatherElementsOp: (constraint_indexed_data,),
    ReduceArgmaxOp: ARGMAX,
    ReduceArgminOp: ARGMAX,
    TopkOp: (constraint_ordered_data,),
    GridSampleOp: (constraint_float_data,),
}
