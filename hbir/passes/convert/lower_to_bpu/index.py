"""Elements chosen by indices, and the best ones: argmax, top-k, sampling.

Indices are integers on every level: an op that gives them has no scale, one that reads them reads
them as they are.
"""

from __future__ import annotations

from typing import Any

from xdsl.ir import Operation

from hbir.dialects.bpu import argmax as bpu_argmax
from hbir.dialects.bpu import index as bpu_index
from hbir.dialects.bpu.grid_sample import GridSampleOp as BpuGridSampleOp
from hbir.dialects.bpu.topk import TopkOp as BpuTopkOp
from hbir.dialects.hbir.argmax import ReduceArgmaxOp, ReduceArgminOp
from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.dialects.hbir.index import GatherElementsOp, IndexOp
from hbir.dialects.hbir.topk import TopkOp
from hbir.ir.op import TensorOp
from hbir.ir.types import shape_of
from hbir.kernels.sample_parameters import grid_sample_parameters
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction
from hbir.passes.convert.lower_to_bpu.move import keep_scale, pad_integer

_INDEXING: dict[type[Operation], type[bpu_index.IndexingOp]] = {
    IndexOp: bpu_index.IndexOp,
    GatherElementsOp: bpu_index.GatherElementsOp,
}
_ARGMAX: dict[type[Operation], type[bpu_argmax.ArgOp]] = {
    ReduceArgmaxOp: bpu_argmax.ReduceArgmaxOp,
    ReduceArgminOp: bpu_argmax.ReduceArgminOp,
}


def lower_indexing(op: IndexOp | GatherElementsOp, lowering: Lowering) -> TensorOp:
    """bpu.index, bpu.gather_elements."""
    x = lowering.quantized(op.x)
    dim: int = op.params()["dim"] % len(shape_of(op.x))
    return keep_scale(_INDEXING[type(op)].make(x.value, op.index, dim=dim), x, lowering)


def lower_argmax(op: ReduceArgmaxOp | ReduceArgminOp, lowering: Lowering) -> TensorOp:
    """bpu.reduce_argmax, bpu.reduce_argmin: a larger scale is a larger value, so order stays."""
    return _ARGMAX[type(op)].make(lowering.integers(op.x).value, **op.params())


def lower_topk(op: TopkOp, lowering: Lowering) -> TensorOp:
    """bpu.topk."""
    return BpuTopkOp.make(lowering.integers(op.x).value, **op.params())


def lower_grid_sample(op: GridSampleOp, lowering: Lowering) -> TensorOp:
    """bpu.grid_sample with the positions of the grid's integers in fixed point."""
    x, grid, params = lowering.quantized(op.x), lowering.integers(op.grid), op.params()
    positions: dict[str, Any] = grid_sample_parameters(
        grid.scale, grid.zero_point, shape_of(op.x)[1:3], align_corner=params["align_corner"]
    )
    new = BpuGridSampleOp.make(
        x.value,
        grid.value,
        mode=params["mode"],
        expansion_mode=params["expansion_mode"],
        pad_value=pad_integer(x, params["pad_value"]),
        **positions,
    )
    return keep_scale(new, x, lowering)


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    IndexOp: lower_indexing,
    GatherElementsOp: lower_indexing,
    ReduceArgmaxOp: lower_argmax,
    ReduceArgminOp: lower_argmax,
    TopkOp: lower_topk,
    GridSampleOp: lower_grid_sample,
}
