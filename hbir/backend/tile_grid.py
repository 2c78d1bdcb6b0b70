"""The tiles of one layer, numbered along each axis, and what each needs of every operand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from hbir.backend.axis_maps import AxisMap
from hbir.backend.regions import Box, LayerRegions


class TileGrid:
    """The tiles of one layer: sizes per iteration axis, and every box by tile index.

    lead: elements that the first tile along `lead_axis` has more than the others, so that the
    layers of a group can run ahead of each other by the rows that their readers' windows reach.
    """

    def __init__(
        self, regions: LayerRegions, tile: tuple[int, ...], lead: int = 0, lead_axis: int = 0
    ) -> None:
        self.regions = regions
        self.layer = regions.layer
        self.tile = tile
        self.lead = lead
        self.lead_axis = lead_axis
        extents = regions.extents
        starts = [np.arange(0, n, t, dtype=np.int64) for n, t in zip(extents, tile, strict=True)]
        if lead:
            rows = np.arange(tile[lead_axis] + lead, extents[lead_axis], tile[lead_axis])
            starts[lead_axis] = np.concatenate(([0], rows)).astype(np.int64)
        self.counts = tuple(len(start) for start in starts)
        self._starts = starts
        self._stops = [np.append(start[1:], n) for start, n in zip(starts, extents, strict=True)]
        self.output_intervals = [
            list(zip(a.tolist(), b.tolist(), strict=True))
            for a, b in zip(starts, self._stops, strict=True)
        ]
        self._operands = [[self._axis(m) for m in maps] for maps in regions.operands]
        self._pads: dict[int, list[tuple[int, int]]] = {}
        self._places: dict[tuple[int, int], list[int]] = {}

    def _axis(self, axis_map: AxisMap) -> tuple[int | None, list[tuple[int, int]]]:
        if axis_map.axis is None:
            return None, [(0, axis_map.size)]
        low, high = axis_map.interval(self._starts[axis_map.axis], self._stops[axis_map.axis])
        return axis_map.axis, list(zip(low.tolist(), high.tolist(), strict=True))

    def operand_intervals(self, operand: int, axis: int) -> list[tuple[int, int]]:
        """The intervals of an operand's axis, by tile along the axis that it follows."""
        return self._operands[operand][axis][1]

    def __len__(self) -> int:
        return prod(self.counts)

    def tile_of(self, axis: int, position: int) -> int:
        """The index along `axis` of the tile that holds an element."""
        ahead = self.lead if axis == self.lead_axis else 0
        return max(0, position - ahead) // self.tile[axis]

    def indices(self, order: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """Tile indices with `order[0]` as the outermost loop."""
        position = [order.index(axis) for axis in range(len(order))]
        for index in product(*(range(self.counts[axis]) for axis in order)):
            yield tuple(index[p] for p in position)

    def output_box(self, index: tuple[int, ...]) -> Box:
        """The output elements of a tile."""
        rank = len(self.layer.output.shape)
        intervals = self.output_intervals
        return tuple(intervals[axis][index[axis]] for axis in range(rank))

    def operand_box(self, operand: int, index: tuple[int, ...]) -> Box | None:
        """The elements of an operand that a tile needs; None when it needs none of it."""
        box = tuple(
            intervals[0 if axis is None else index[axis]]
            for axis, intervals in self._operands[operand]
        )
        return None if any(high <= low for low, high in box) else box

    def operand_steps(self, operand: int) -> tuple[int, ...]:
        """Distance between the elements taken along each axis of an operand's box."""
        return tuple(m.step for m in self.regions.operands[operand])

    def place(self, operand: int, index: tuple[int, ...]) -> tuple[int, ...]:
        """Where an operand's box starts in the output tile (layers that only move)."""
        result: list[int] = []
        for number, axis_map in enumerate(self.regions.operands[operand]):
            if axis_map.axis is None:
                result.append(0)
                continue
            key = (operand, number)
            if key not in self._places:
                starts, stops = self._starts[axis_map.axis], self._stops[axis_map.axis]
                self._places[key] = axis_map.place(starts, stops).tolist()
            result.append(self._places[key][index[axis_map.axis]])
        return tuple(result)

    def params(self, index: tuple[int, ...]) -> dict[str, Any]:
        """The kernel's keyword arguments for a tile."""
        kind = self.layer.kind
        params = dict(self.layer.params)
        if kind in ("conv2d", "max_pool", "avg_pool", "float_avg_pool"):
            (top, bottom), (left, right) = self._pad(1, index), self._pad(2, index)
            params["pad"] = (top, left, bottom, right)
        if kind == "conv2d":
            first, last = self.output_intervals[3][index[3]]
            outputs_per_group = self.layer.inputs[1].shape[0] // self.layer.groups
            params["group_num"] = -(-last // outputs_per_group) - first // outputs_per_group
        if kind == "resize2d":
            box = self.output_box(index)
            source = self.operand_box(0, index)
            assert source is not None  # a source position is always clamped into the input
            params["size"] = (box[1][1] - box[1][0], box[2][1] - box[2][0])
            params["out_offset"] = (box[1][0], box[2][0])
            params["in_offset"] = (source[1][0], source[2][0])
            params["in_size"] = tuple(self.layer.inputs[0].shape[1:3])
        if kind == "roi_resize":
            _, rows, columns, _ = self.output_box(index)
            first_row, first_column = params["out_offset"]
            params["out_offset"] = (first_row + rows[0], first_column + columns[0])
            params["out_size"] = (rows[1] - rows[0], columns[1] - columns[0])
        if kind == "tile":
            params["multiplies"] = self._multiplies(index)
        return params

    def _multiplies(self, index: tuple[int, ...]) -> tuple[int, ...]:
        source = self.operand_box(0, index)
        assert source is not None  # every output element repeats an input element
        return tuple(
            (stop - start) // (high - low)
            for (start, stop), (low, high) in zip(self.output_box(index), source, strict=True)
        )

    def _pad(self, axis: int, index: tuple[int, ...]) -> tuple[int, int]:
        if axis not in self._pads:
            axis_map = self.regions.operands[0][axis]
            before, after = axis_map.pads(self._starts[axis], self._stops[axis])
            self._pads[axis] = list(zip(before.tolist(), after.tolist(), strict=True))
        return self._pads[axis][index[axis]]
