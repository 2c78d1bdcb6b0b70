"""Runs a scheduled function tile by tile: halo and tiling errors show before any encoding.

Each layer is computed in the loop order of its schedule on just the parts of its operands that
`backend.regions` says a tile needs, by the kernels that every other level uses; layers of a group
take turns as `backend.interleave` says. Results start poisoned, so that a tile nobody computes
can't go unnoticed, and a read of rows that a line buffer doesn't hold is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
from typing_extensions import override
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from hbir.backend.interleave import Member, interleave, member, row_indices
from hbir.backend.isa.descriptor import RING_AXIS
from hbir.backend.layer import Layer
from hbir.backend.regions import Box, layer_regions
from hbir.backend.tile_grid import TileGrid
from hbir.backend.tiling import Tiling
from hbir.dialects.layers import (
    allocs_of,
    is_layer,
    is_on_chip,
    layer_of,
    schedule_of,
    tiling_of,
    view_source,
)
from hbir.errors import HbirError
from hbir.ir.types import shape_of
from hbir.ir.weights import WeightStore
from hbir.kernels.integer.conv import conv2d_accumulate, conv2d_finish
from hbir.kernels.table import execute
from hbir.kernels.types import Array
from hbir.runtime.interpreter import Listener, Plan, Step

_FINISH_PARAMS = ("output_zero_point", "clip", "dtype")
"""Parameters of a convolution's second half; the others belong to the first."""

Index = tuple[int, ...]


class ScheduledPlan(Plan):
    """A scheduled function, ready to run. Raises HbirError when a layer has no legal schedule."""

    @override
    def _make_steps(
        self, ops: Sequence[Operation], slots: Mapping[SSAValue, int], weights: WeightStore
    ) -> list[Step]:
        steps = super()._make_steps(ops, slots, weights)
        return [
            merged
            for _, run in groupby(steps, lambda step: _group_of(step.op))
            for merged in _merged(list(run))
        ]


def _group_of(op: Operation) -> int | None:
    """The group of a layer; None for what is computed as a whole."""
    return schedule_of(op).group.data if is_layer(op) else None


def _merged(run: Sequence[Step]) -> list[Step]:
    """The steps of neighbouring ops of one group, as one if there are several."""
    if not is_layer(run[0].op):
        return list(run)
    if len(run) == 1:
        return [replace(run[0], kernel=_Group([run[0].op], run[0].op.operands), params={})]
    made = {slot for step in run for slot in step.results}
    operands: dict[int, SSAValue] = {}
    for step in run:
        for slot, value in zip(step.operands, step.op.operands, strict=True):
            if slot not in made:
                operands.setdefault(slot, value)
    ops = [step.op for step in run]
    return [
        Step(
            op=ops[0],
            kernel=_Group(ops, list(operands.values())),
            params={},
            operands=tuple(operands),
            results=tuple(slot for step in run for slot in step.results),
            names=tuple(name for step in run for name in step.names),
            shapes=tuple(shape for step in run for shape in step.shapes),
            dtypes=tuple(dtype for step in run for dtype in step.dtypes),
            dying=tuple(dict.fromkeys(slot for step in run for slot in step.dying)),
            result_ops=tuple(step.op for step in run for _ in step.results),
        )
    ]


def run(
    function: FuncOp,
    inputs: Sequence[Array],
    weights: WeightStore,
    listener: Listener | None = None,
) -> list[Array]:
    """Run a scheduled function once: one array per argument → one per result."""
    return ScheduledPlan(function, weights).run(inputs, listener)


class _Group:
    """The kernel of layers that take turns: their results, from what they read of others."""

    def __init__(self, ops: Sequence[Operation], operands: Sequence[SSAValue]) -> None:
        self._ops = ops
        self._operands = list(operands)
        self._layers = [layer_of(op) for op in ops]
        self._tilings = [tiling_of(op, layer) for op, layer in zip(ops, self._layers, strict=True)]
        self._rings = [_ring_rows(op) for op in ops]

    def __call__(self, *arrays: Array) -> tuple[Array, ...]:
        values = dict(zip(self._operands, arrays, strict=True))
        runs: list[TiledLayer] = []
        for op, layer, tiling in zip(self._ops, self._layers, self._tilings, strict=True):
            inputs = [self._array(values, value) for value in op.operands]
            runs.append(TiledLayer(layer, tiling, inputs))
            values[op.results[0]] = runs[-1].result
        if len(runs) == 1:
            runs[0].run(runs[0].grid.indices(self._tilings[0].order))
        else:
            self._take_turns(runs)
        return tuple(r.result for r in runs)

    @staticmethod
    def _array(values: Mapping[SSAValue, Array], value: SSAValue) -> Array:
        """An operand: of another layer of the group, the array that it is about to fill."""
        if value in values:
            return values[value]
        return values[view_source(value)].reshape(shape_of(value))

    def _take_turns(self, runs: Sequence[TiledLayer]) -> None:
        numbers: dict[SSAValue, int] = {op.results[0]: n for n, op in enumerate(self._ops)}
        axes = [tiling.order[0] for tiling in self._tilings]
        members: list[Member] = []
        for op, tiled, axis in zip(self._ops, runs, axes, strict=True):
            roots = [view_source(value) for value in op.operands]
            producers = [(numbers[r], axes[numbers[r]]) if r in numbers else None for r in roots]
            views = frozenset(i for i, r in enumerate(roots) if r is not op.operands[i])
            members.append(member(tiled.grid, axis, producers, views))
        done = [0] * len(runs)
        for number, row in interleave(members):
            for read in members[number].reads:
                self._check(number, read.producer, done, (read.lows[row], read.highs[row]))
            runs[number].run(row_indices(runs[number].grid, self._tilings[number].order, row))
            done[number] = members[number].stops[row]

    def _check(self, reader: int, producer: int, done: list[int], rows: tuple[int, int]) -> None:
        """Raise HbirError where a reader's rows aren't computed yet, or not there any more."""
        low, high = rows
        made = done[producer]
        axis = self._tilings[producer].order[0]
        high = min(high, self._layers[producer].output.shape[axis])
        ring = self._rings[producer]
        if high > made or (ring and low < made - ring and low < high):
            raise HbirError(
                f"{self._layers[reader].name} reads rows {low}..{high} of"
                f" {self._layers[producer].name}, whose line buffer holds"
                f" {max(0, made - ring) if ring else 0}..{made}"
            )


def _ring_rows(op: Operation) -> int:
    if not is_on_chip(op.results[0]) or len(shape_of(op.results[0])) <= RING_AXIS:
        return 0
    return allocs_of(op)[0].rows.data


class TiledLayer:
    """A layer while its tiles are computed: `result` fills, from poison."""

    def __init__(self, layer: Layer, tiling: Tiling, arrays: Sequence[Array]) -> None:
        self.layer = layer
        self.grid = TileGrid(layer_regions(layer), tiling.tile, tiling.lead, tiling.outer_axis)
        self.result = np.empty(layer.output.shape, layer.output.dtype)
        self.result.reshape(-1).view(np.uint8).fill(0xA5)
        self._arrays = arrays
        self._sums: Array | None = None

    def run(self, indices: Iterable[Index]) -> None:
        """Compute some tiles, the parts of a K split one after the other."""
        for index in indices:
            self._tile(index)

    def _tile(self, index: Index) -> None:
        layer, grid = self.layer, self.grid
        box = grid.output_box(index)
        if layer.moves_only:
            _move(grid, index, self._arrays, self.result[_slices(box)])
            return
        if layer.kind == "conv2d":
            self._sums = _accumulate(grid, index, self._arrays, self._sums)
            if index[-1] < grid.counts[-1] - 1:
                return
            tile = _finish(grid, index, self._arrays, self._sums)
            self._sums = None
        else:
            tile = execute(layer.kernel, _parts(grid, index, self._arrays), grid.params(index))
        if tile.shape != tuple(high - low for low, high in box):
            raise HbirError(
                f"{layer.name or layer.kind}: tile {list(index)} gives {list(tile.shape)}, its"
                f" place in the result is {list(box)}"
            )
        self.result[_slices(box)] = tile


def _parts(grid: TileGrid, index: Index, arrays: Sequence[Array]) -> list[Array]:
    return [_part(grid, operand, index, array) for operand, array in enumerate(arrays)]


def _part(grid: TileGrid, operand: int, index: Index, array: Array) -> Array:
    box = grid.operand_box(operand, index)
    assert box is not None  # only layers that move have operands that a tile doesn't touch
    return array[_slices(box)]


def _accumulate(grid: TileGrid, index: Index, arrays: Sequence[Array], sums: Array | None) -> Array:
    """The partial sums of a tile so far, and this part of its input channels."""
    params = {k: v for k, v in grid.params(index).items() if k not in _FINISH_PARAMS}
    x, weights = (_part(grid, operand, index, arrays[operand]) for operand in (0, 1))
    part = conv2d_accumulate(x, weights, **params)
    return part if sums is None else sums + part


def _finish(grid: TileGrid, index: Index, arrays: Sequence[Array], sums: Array) -> Array:
    params = {k: v for k, v in grid.layer.params.items() if k in _FINISH_PARAMS}
    rest = [_part(grid, operand, index, arrays[operand]) for operand in range(2, len(arrays))]
    return conv2d_finish(sums, *rest, **params)


def _move(grid: TileGrid, index: Index, arrays: Sequence[Array], tile: Array) -> None:
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


def _slices(box: Box) -> tuple[Any, ...]:
    """An index that gives a view, of a scalar's array too."""
    return (..., *(slice(low, high) for low, high in box))
