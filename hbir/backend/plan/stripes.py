"""Groups of layers cut into stripes of rows: the rows of each layer's tiles, and what is on chip.

The rows of a reader's tile say which rows of its producer it needs: in the long run as many as the
stride makes of them, and for the first tile some more (the window's reach), which is the producer's
lead. So every row is computed once, and a line buffer holds just the rows still to be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hbir.backend.interleave import Member, interleave, member
from hbir.backend.isa.descriptor import RING_AXIS
from hbir.backend.layer import TensorSpec
from hbir.backend.march import Machine
from hbir.backend.memory import align
from hbir.backend.plan.homes import Home, is_in_place
from hbir.backend.plan.network import (
    Node,
    constant_bytes,
    engine_of,
    overlap,
    padded_bytes,
    whole_cycles,
)
from hbir.backend.regions import LayerRegions, layer_regions
from hbir.backend.tile_grid import TileGrid
from hbir.backend.tile_grid_cost import OUTPUT
from hbir.backend.tiling import Tiling

STRIPES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Numbers of stripes that are tried."""


@dataclass(frozen=True)
class Rows:
    """How a layer of a group is cut. axis: its row axis; tile, lead: rows, as in `Tiling`."""

    axis: int
    tile: int
    lead: int

    def stops(self, extent: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """By row tile, the row after its last."""
        first = min(self.tile + self.lead, extent)
        return np.append(np.arange(first, extent, self.tile, dtype=np.int64), extent)


@dataclass(frozen=True)
class StripedGroup:
    """Layers of a network that take turns.

    tilings: one per layer. ring_rows: by tensor that only the group touches, the rows of its line
    buffer, 0 where it is whole.
    """

    nodes: tuple[Node, ...]
    tilings: tuple[Tiling, ...]
    ring_rows: Mapping[int, int]


def cut_rows(machine: Machine, nodes: Sequence[Node], stripes: int, aligned: bool) -> list[Rows]:
    """The row tiles of each layer of a group, its last layers cut into about `stripes` parts."""
    convolves = any(layer_regions(node.layer).reduction_axis is not None for node in nodes)
    unit = machine.tae.unroll_h if convolves else 1
    regions = [layer_regions(node.layer) for node in nodes]
    inside = {node.output: number for number, node in enumerate(nodes)}
    readers: list[list[tuple[int, int]]] = [[] for _ in nodes]
    for number, node in enumerate(nodes):
        for operand, used in enumerate(node.operands):
            if used.tensor in inside:
                assert used.tensor is not None
                readers[inside[used.tensor]].append((number, operand))
    rows: list[Rows | None] = [None] * len(nodes)
    for number in reversed(range(len(nodes))):
        asked = [
            _asked(nodes[reader], regions[reader], operand, rows[reader])
            for reader, operand in readers[number]
        ]
        lead_unit = unit if aligned and regions[number].reduction_axis is not None else 1
        rows[number] = _rows(regions[number], asked, stripes, unit, lead_unit)
    return [r for r in rows if r is not None]


def _asked(
    node: Node, regions: LayerRegions, operand: int, rows: Rows | None
) -> tuple[int, int, int] | None:
    """(axis, first rows, rows a tile) that a reader asks of its operand; None for all at once."""
    assert rows is not None  # readers stand behind their producers
    if node.operands[operand].is_view:
        return None
    for axis, axis_map in enumerate(regions.operands[operand]):
        if axis_map.axis == rows.axis:
            stops = rows.stops(regions.extents[rows.axis])
            starts = np.append([0], stops[:-1])
            highs = axis_map.interval(starts, stops)[1]
            steps = np.diff(highs)
            return axis, int(highs[0]), int(steps.max()) if len(steps) else int(highs[0])
    return None


def _rows(
    regions: LayerRegions,
    asked: Sequence[tuple[int, int, int] | None],
    stripes: int,
    unit: int,
    lead_unit: int,
) -> Rows:
    rank = len(regions.layer.output.shape)
    axis = min(1, rank - 1) if rank != 2 else 0
    if asked and asked[0] is not None:
        axis = asked[0][0]
    extent = regions.extents[axis]
    whole = Rows(axis, extent, 0)
    if axis in regions.whole_axes or any(a is None or a[0] != axis for a in asked):
        return whole
    if not asked:
        tile = align(-(-extent // stripes), unit)
        return Rows(axis, tile, 0) if tile < extent else whole
    first = max(a[1] for a in asked if a is not None)
    tile = max(1, *(a[2] for a in asked if a is not None))
    if tile >= extent or max(first, tile) >= extent:
        return whole
    lead = align(max(0, first - tile), lead_unit)
    return Rows(axis, tile, lead) if tile + lead < extent else whole


def stripe(
    machine: Machine,
    nodes: Sequence[Node],
    homes: Mapping[int, Home],
    stripes: int,
    aligned: bool,
) -> StripedGroup:
    """A group cut into stripes, and the line buffers of the tensors inside it.

    aligned: whether convolutions lead by whole unrolls of rows: more rows on chip, none padded.
    """
    rows = cut_rows(machine, nodes, stripes, aligned)
    tilings: list[Tiling] = []
    grids: list[TileGrid] = []
    for node, cut in zip(nodes, rows, strict=True):
        regions = layer_regions(node.layer)
        tile = list(regions.extents)
        tile[cut.axis] = cut.tile
        order = (cut.axis, *(a for a in range(len(tile)) if a != cut.axis))
        tilings.append(Tiling(tuple(tile), order, 2, cut.lead))
        grids.append(TileGrid(regions, tuple(tile), cut.lead, cut.axis))
    members = _members(nodes, grids, rows)
    return StripedGroup(
        tuple(nodes), tuple(tilings), _ring_rows(machine, nodes, homes, rows, members)
    )


def _members(
    nodes: Sequence[Node], grids: Sequence[TileGrid], rows: Sequence[Rows]
) -> list[Member]:
    inside = {node.output: number for number, node in enumerate(nodes)}
    result: list[Member] = []
    for node, grid, cut in zip(nodes, grids, rows, strict=True):
        producers: list[tuple[int, int] | None] = []
        for operand in node.operands:
            number = inside.get(-1 if operand.tensor is None else operand.tensor)
            producers.append(None if number is None else (number, rows[number].axis))
        views = frozenset(i for i, operand in enumerate(node.operands) if operand.is_view)
        result.append(member(grid, cut.axis, producers, views))
    return result


def _ring_rows(
    machine: Machine,
    nodes: Sequence[Node],
    homes: Mapping[int, Home],
    rows: Sequence[Rows],
    members: Sequence[Member],
) -> dict[int, int]:
    """By tensor: rows of its line buffer; 0 where all its rows are on chip at once.

    Tensors that lie in one another share a line buffer; what is in place neither reads nor writes.
    """

    def root(tensor: int) -> int:
        return homes[tensor].root if tensor in homes else tensor

    roots = [root(node.output) for node in nodes]
    in_place = [is_in_place(node, homes) for node in nodes]
    needed = dict.fromkeys(roots, 0)
    frontier = dict.fromkeys(roots, 0)
    lows: dict[int, dict[tuple[int, int], int]] = {mine: {} for mine in roots}
    for number, this in enumerate(members):
        for place, read in enumerate(this.reads):
            if not in_place[number]:
                lows[roots[read.producer]][number, place] = min(read.lows)
    for number, tile in interleave(members):
        this, mine = members[number], roots[number]
        if in_place[number]:
            continue
        frontier[mine] = max(frontier[mine], this.stops[tile])
        lowest = min(lows[mine].values(), default=this.stops[tile - 1] if tile else 0)
        needed[mine] = max(needed[mine], frontier[mine] - lowest)
        for place, read in enumerate(this.reads):
            last = tile + 1 == len(this.stops)
            low = (1 << 60) if last else read.lows[tile + 1]
            lows[roots[read.producer]][number, place] = low
    slack = dict.fromkeys(roots, 0)
    rings = dict.fromkeys(roots, True)
    for number, node in enumerate(nodes):
        mine, shape = roots[number], node.layer.output.shape
        if _overlaps_readers(machine, nodes, number):
            slack[mine] = max(slack[mine], rows[number].tile)
        shifted = node.output in homes and homes[node.output].origin[RING_AXIS : RING_AXIS + 1] != (
            0,
        )
        if rows[number].axis != RING_AXIS or len(shape) <= RING_AXIS or shifted:
            rings[mine] = False
    result: dict[int, int] = {}
    for number, node in enumerate(nodes):
        mine = roots[number]
        count = needed[mine] + slack[mine]
        extent = node.layer.output.shape[RING_AXIS] if rings[mine] else 0
        result[node.output] = count if rings[mine] and count < extent else 0
    return result


def _overlaps_readers(machine: Machine, nodes: Sequence[Node], number: int) -> bool:
    """Whether a tensor is made on an engine that can run beside those of its readers."""
    tensor = nodes[number].output
    mine = engine_of(machine, nodes[number].layer)
    return any(
        overlap(machine, engine_of(machine, reader.layer), mine)
        for reader in nodes[number + 1 :]
        if any(operand.tensor == tensor for operand in reader.operands)
    )


def ring_bytes(machine: Machine, spec: TensorSpec, ring_rows: int) -> int:
    """Bytes of a line buffer (of a whole tensor for 0 rows)."""
    shape = list(spec.shape)
    if ring_rows:
        shape[RING_AXIS] = ring_rows
    return align(padded_bytes(machine, shape, spec.itemsize), machine.memory.base_align_bytes)


def striped_cycles(machine: Machine, group: StripedGroup) -> float:
    """Cycles of a group's computation, its rows padded to the unroll tile by tile."""
    total = 0.0
    for node, tiling in zip(group.nodes, group.tilings, strict=True):
        cycles = whole_cycles(machine, node.layer)
        axis = tiling.order[0]
        extent = layer_regions(node.layer).extents[axis]
        stops = Rows(axis, tiling.tile[axis], tiling.lead).stops(extent)
        if layer_regions(node.layer).reduction_axis is not None and axis == RING_AXIS:
            unroll = machine.tae.unroll_h
            passes = np.sum(-(-np.diff(stops, prepend=0) // unroll)) / -(-extent // unroll)
            cycles *= float(passes)
        total += cycles + len(stops) * machine.tae.startup_cycles
    return total


def area_bytes(machine: Machine, node: Node, tiling: Tiling, resident: frozenset[int]) -> int:
    """Bytes of the areas of a striped layer: constants whole, streamed tiles twice."""
    layer, unit = node.layer, machine.memory.base_align_bytes
    total = constant_bytes(machine, layer) if not layer.moves_only else 0
    grid = TileGrid(layer_regions(layer), tiling.tile, tiling.lead, tiling.order[0])
    slots = () if layer.moves_only else range(len(layer.inputs))
    for operand in slots:
        spec = layer.inputs[operand]
        if spec.constant or operand in resident:
            continue
        maps = grid.regions.operands[operand]
        intervals = [grid.operand_intervals(operand, axis) for axis in range(len(maps))]
        shape = [max(high - low for low, high in column) for column in intervals]
        total += 2 * align(padded_bytes(machine, shape, spec.itemsize), unit)
    if OUTPUT not in resident:
        shape = tiling.largest_tile[: len(layer.output.shape)]
        total += 2 * align(padded_bytes(machine, shape, layer.output.itemsize), unit)
    return total
