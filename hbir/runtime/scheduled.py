"""Runs a scheduled function tile by tile: halo and tiling errors show before any encoding.

Each layer is computed in the loop order of its schedule on just the parts of its operands that
`backend.regions` says a tile needs, by the kernels that every other level uses. Results start
poisoned, so that a tile nobody computes can't go unnoticed. Values between layers are whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from typing_extensions import override
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from hbir.backend.layer import Layer
from hbir.backend.regions import Box, layer_regions
from hbir.backend.tile_grid import TileGrid
from hbir.backend.tiling import Tiling
from hbir.dialects.layers import is_layer, layer_of, tiling_of
from hbir.errors import HbirError
from hbir.ir.weights import WeightStore
from hbir.kernels.integer.conv import conv2d_accumulate, conv2d_finish
from hbir.kernels.table import execute
from hbir.kernels.types import Array
from hbir.runtime.interpreter import Listener, Plan

_FINISH_PARAMS = ("output_zero_point", "clip", "dtype")
"""Parameters of a convolution's second half; the others belong to the first."""


class ScheduledPlan(Plan):
    """A scheduled function, ready to run. Raises HbirError when a layer has no legal schedule."""

    @override
    def _make_steps(
        self, ops: Sequence[Operation], slots: Mapping[SSAValue, int], weights: WeightStore
    ) -> Any:
        steps = super()._make_steps(ops, slots, weights)
        return [
            replace(step, kernel=_Tiled(step.op), params={}) if is_layer(step.op) else step
            for step in steps
        ]


def run(
    function: FuncOp,
    inputs: Sequence[Array],
    weights: WeightStore,
    listener: Listener | None = None,
) -> list[Array]:
    """Run a scheduled function once: one array per argument → one per result."""
    return ScheduledPlan(function, weights).run(inputs, listener)


class _Tiled:
    """The kernel of one layer, applied tile by tile."""

    def __init__(self, op: Operation) -> None:
        self._layer = layer_of(op)
        self._tiling = tiling_of(op, self._layer)

    def __call__(self, *arrays: Array) -> Array:
        return run_tiled(self._layer, self._tiling, arrays)


def run_tiled(layer: Layer, tiling: Tiling, arrays: Sequence[Array]) -> Array:
    """The layer's result, computed tile by tile. Raises HbirError naming a tile of wrong shape."""
    grid = TileGrid(layer_regions(layer), tiling.tile)
    result = np.empty(layer.output.shape, layer.output.dtype)
    result.reshape(-1).view(np.uint8).fill(0xA5)
    sums: Array | None = None
    for index in grid.indices(tiling.order):
        box = grid.output_box(index)
        if layer.moves_only:
            _move(grid, index, arrays, result[_slices(box)])
            continue
        if layer.kind == "conv2d":
            sums = _accumulate(grid, index, arrays, sums)
            if index[-1] < grid.counts[-1] - 1:
                continue
            tile = _finish(grid, index, arrays, sums)
            sums = None
        else:
            tile = execute(layer.kernel, _parts(grid, index, arrays), grid.params(index))
        if tile.shape != tuple(high - low for low, high in box):
            raise HbirError(
                f"{layer.name or layer.kind}: tile {list(index)} gives {list(tile.shape)}, its"
                f" place in the result is {list(box)}"
            )
        result[_slices(box)] = tile
    return result


def _parts(grid: TileGrid, index: tuple[int, ...], arrays: Sequence[Array]) -> list[Array]:
    return [_part(grid, operand, index, array) for operand, array in enumerate(arrays)]


def _part(grid: TileGrid, operand: int, index: tuple[int, ...], array: Array) -> Array:
    box = grid.operand_box(operand, index)
    assert box is not None  # only layers that move have operands that a tile doesn't touch
    return array[_slices(box)]


def _accumulate(
    grid: TileGrid, index: tuple[int, ...], arrays: Sequence[Array], sums: Array | None
) -> Array:
    """The partial sums of a tile so far, and this part of its input channels."""
    params = {k: v for k, v in grid.params(index).items() if k not in _FINISH_PARAMS}
    x, weights = (_part(grid, operand, index, arrays[operand]) for operand in (0, 1))
    part = conv2d_accumulate(x, weights, **params)
    return part if sums is None else sums + part


def _finish(grid: TileGrid, index: tuple[int, ...], arrays: Sequence[Array], sums: Array) -> Array:
    params = {k: v for k, v in grid.layer.params.items() if k in _FINISH_PARAMS}
    rest = [_part(grid, operand, index, arrays[operand]) for operand in range(2, len(arrays))]
    return conv2d_finish(sums, *rest, **params)


def _move(grid: TileGrid, index: tuple[int, ...], arrays: Sequence[Array], tile: Array) -> None:
    if grid.layer.kind == "pad":
        tile[...] = int(grid.layer.params.get("pad_value", 0))
    for operand, array in enumerate(arrays):
        box = grid.operand_box(operand, index)
        if box is None:
            continue
        steps = grid.operand_steps(operand)
        bounds = zip(box, steps, strict=True)
        part = array[tuple(slice(low, high, step) for (low, high), step in bounds)]
        place = grid.place(operand, index)
        where = zip(place, part.shape, strict=True)
        tile[tuple(slice(start, start + extent) for start, extent in where)] = part


def _slices(box: Box) -> tuple[slice, ...]:
    return tuple(slice(low, high) for low, high in box)
