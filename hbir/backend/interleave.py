"""The order in which the layers of a group compute their row tiles.

Layers of a group are cut along one axis each, their row axis (the outermost of their loop order),
and take turns: a row tile is computed when a reader needs one of its rows, so that as few rows as
possible are on chip at once. Planner, scheduled interpreter and code generation all follow the
order made here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from hbir.backend.axis_maps import AxisMap
from hbir.backend.tile_grid import TileGrid


@dataclass(frozen=True)
class Read:
    """A layer's operand that another layer of the group makes.

    lows, highs: by row tile of the reader, the rows [low, high) of the producer that it reads.
    """

    producer: int
    lows: tuple[int, ...]
    highs: tuple[int, ...]


@dataclass(frozen=True)
class Member:
    """A layer of a group. stops: by row tile, the row after its last."""

    stops: tuple[int, ...]
    reads: tuple[Read, ...]


def member(
    grid: TileGrid,
    row_axis: int,
    producers: Sequence[tuple[int, int] | None],
    whole: frozenset[int],
) -> Member:
    """A layer as a member of its group.

    producers: by operand, the place in the group of the layer that makes it and that layer's row
    axis; None where no layer of the group does. whole: operands read under another shape, all of
    which every tile needs.
    """
    reads: list[Read] = []
    intervals = grid.output_intervals[row_axis]
    for operand, producer in enumerate(producers):
        if producer is None:
            continue
        number, axis = producer
        maps = grid.regions.operands[operand]
        if operand in whole:
            entire = 1 << 62  # more rows than there are: all of them
            reads.append(Read(number, (0,) * len(intervals), (entire,) * len(intervals)))
            continue
        reads.append(_read(grid, operand, maps[axis], axis, row_axis, number))
    return Member(tuple(high for _, high in intervals), tuple(reads))


def _read(
    grid: TileGrid, operand: int, axis_map: AxisMap, axis: int, row_axis: int, producer: int
) -> Read:
    intervals = grid.operand_intervals(operand, axis)
    count = grid.counts[row_axis]
    if axis_map.axis != row_axis:
        low, high = min(low for low, _ in intervals), max(high for _, high in intervals)
        return Read(producer, (low,) * count, (high,) * count)
    return Read(producer, tuple(a for a, _ in intervals), tuple(b for _, b in intervals))


def interleave(members: Sequence[Member]) -> list[tuple[int, int]]:
    """(member, row tile) in the order of computation.

    The layers that no other of the group reads set the pace, all at the same share of their rows;
    the others follow their readers' needs.
    """
    done = [0] * len(members)
    order: list[tuple[int, int]] = []
    read = {r.producer for m in members for r in m.reads}
    sinks = [number for number in range(len(members)) if number not in read]

    def advance(number: int, tiles: int) -> None:
        """Compute a member's tiles up to `tiles`."""
        this = members[number]
        while done[number] < min(tiles, len(this.stops)):
            tile = done[number]
            for r in this.reads:
                stops = members[r.producer].stops
                have = done[r.producer]
                need = have
                while need < len(stops) and (need == 0 or stops[need - 1] < r.highs[tile]):
                    need += 1
                if r.highs[tile] > 0 and need > have:
                    advance(r.producer, need)
            order.append((number, tile))
            done[number] += 1

    turns = max((len(members[s].stops) for s in sinks), default=0)
    for turn in range(turns):
        for sink in sinks:
            tiles = len(members[sink].stops)
            advance(sink, -(-(turn + 1) * tiles // turns))
    for number, this in enumerate(members):
        advance(number, len(this.stops))  # rows that no reader needs
    return order


def row_indices(grid: TileGrid, order: Sequence[int], row: int) -> Iterator[tuple[int, ...]]:
    """Tile indices of one row tile, the other axes in loop order."""
    inner = order[1:]
    position = {axis: place for place, axis in enumerate(inner)}
    for index in product(*(range(grid.counts[axis]) for axis in inner)):
        yield tuple(
            row if axis == order[0] else index[position[axis]] for axis in range(len(order))
        )
