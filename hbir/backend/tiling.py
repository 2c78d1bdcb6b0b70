"""Tile sizes of one layer: which tiles, in which order, with how many buffers.

`first_tiling` halves axes until the working set fits (O0). `search_tiling` evaluates a grid of
candidates at once against the steady-state bound of `tile_grid_cost`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hbir.backend.layer import Layer
from hbir.backend.march import Machine
from hbir.backend.memory import align
from hbir.backend.regions import LayerRegions, layer_regions
from hbir.backend.tile_grid_cost import MAX_BUFFERS, OUTPUT, GridCost
from hbir.errors import HbirError

_AXIS_CANDIDATES = {1: 24, 2: 16, 3: 8, 4: 6, 5: 4, 6: 4}
"""Tile sizes tried per axis, by the number of axes: keeps the grid around a thousand candidates."""

INDIFFERENCE = 1.02
"""Of tilings whose bounds differ by less than this factor the one with the fewest tiles is taken:
the bound is no better than that, and instructions cost time to compile, to fetch and to read."""


@dataclass(frozen=True)
class Tiling:
    """How a layer is cut. `tile` and `order` are over the iteration axes (`LayerRegions.extents`).

    order: axes from the outermost loop to the innermost. buffers: tiles on chip at once of every
    operand that changes from tile to tile (2: double buffering). lead: elements that the first tile
    along `order[0]` has more, see `TileGrid`.
    """

    tile: tuple[int, ...]
    order: tuple[int, ...]
    buffers: int
    lead: int = 0

    @property
    def outer_axis(self) -> int:
        """The axis of the outermost loop; 0 for a scalar, which has none."""
        return self.order[0] if self.order else 0

    @property
    def largest_tile(self) -> tuple[int, ...]:
        """Extents that hold every tile, the leading one too."""
        if not self.lead:
            return self.tile
        axis = self.outer_axis
        return (*self.tile[:axis], self.tile[axis] + self.lead, *self.tile[axis + 1 :])


@dataclass(frozen=True)
class Area:
    """On-chip memory of one operand of a layer: its number, or OUTPUT or ACCUMULATOR."""

    operand: int
    bytes_per_buffer: int
    buffers: int

    @property
    def size_bytes(self) -> int:
        """Bytes of all its buffers."""
        return self.bytes_per_buffer * self.buffers


@dataclass(frozen=True)
class Estimate:
    """The steady-state bound of a tiling. DDR bytes are whole bursts; `onchip_bytes` all slots."""

    cycles: float
    compute_cycles: float
    transfer_cycles: float
    ddr_bytes: int
    onchip_bytes: int
    tiles: int


@lru_cache(maxsize=4096)
def areas(
    machine: Machine,
    layer: Layer,
    tile: tuple[int, ...],
    buffers: int,
    resident: frozenset[int] = frozenset(),
) -> tuple[Area, ...]:
    """The on-chip memory that tiles of this size need: operands, output, accumulator.

    Layers that only move have just an output area: loads write straight into it. An accumulator
    is there for K splits only. Sizes hold the largest tile, in multiples of `base_align_bytes`.
    resident: operands (or OUTPUT) that are on chip anyway.
    """
    grid = _one(machine, layer, tile, resident)
    result = [
        Area(slot, int(size.max()), int(held.max()))
        for slot, size, held in zip(grid.slots, grid.slot_bytes, grid.buffers(buffers), strict=True)
    ]
    return tuple(area for area in result if area.bytes_per_buffer)


def onchip_bytes(
    machine: Machine, layer: Layer, tiling: Tiling, resident: frozenset[int] = frozenset()
) -> int:
    """Bytes of all areas of a tiling."""
    needed = areas(machine, layer, tiling.largest_tile, tiling.buffers, resident)
    return sum(area.size_bytes for area in needed)


def first_tiling(machine: Machine, layer: Layer) -> Tiling:
    """The first tiling that fits with single buffers: axes are halved from the outermost inwards,
    down to the engine's unroll and, where that isn't enough, to one element.

    Raises HbirError naming the layer when even the smallest tile doesn't fit.
    """
    regions = layer_regions(layer)
    tile = list(regions.extents)
    order = _loop_orders(regions)[0]
    l1 = machine.memory.l1_bytes
    halving = _halving_order(machine, layer)
    for coarse in (True, False):
        for axis in halving:
            least = _granule(machine, regions, axis) if coarse else 1
            while onchip_bytes(machine, layer, Tiling(tuple(tile), order, 1)) > l1:
                smaller = _smaller(regions, axis, tile[axis])
                if smaller == tile[axis] or smaller < least:
                    break
                tile[axis] = smaller
    tiling = Tiling(tuple(tile), order, 1)
    if onchip_bytes(machine, layer, tiling) > l1:
        raise _too_large(machine, layer, tiling)
    return tiling


def search_tiling(
    machine: Machine,
    layer: Layer,
    budget_bytes: int | None = None,
    resident: frozenset[int] = frozenset(),
) -> Tiling:
    """The tiling with the least steady-state bound whose buffers fit `budget_bytes`.

    Without a budget, or when none fits it, the whole L1 is the budget.
    Raises HbirError naming the layer when no tile fits.
    """
    if not layer_regions(layer).extents:
        return first_tiling(machine, layer)  # a scalar is one tile
    l1 = machine.memory.l1_bytes
    if budget_bytes is not None and budget_bytes < l1:
        found = _search(machine, layer, budget_bytes, resident)
        if found is not None:
            return found
    # The grid is coarse for odd shapes: what halving finds is legal, if not the best.
    return _search(machine, layer, l1, resident) or first_tiling(machine, layer)


@lru_cache(maxsize=16384)
def choose_tiling(machine: Machine, layer: Layer, opt: int) -> Tiling:
    """The tiling of a layer by itself: at opt 0 the first that fits, else the best searched.

    Raises HbirError naming the layer when no tile fits.
    """
    return first_tiling(machine, layer) if opt <= 0 else search_tiling(machine, layer)


def share_tiles(
    machine: Machine, layer: Layer, tiling: Tiling, cores: int
) -> tuple[Tiling, int] | None:
    """Tiles that `cores` cores can share evenly, and the axis along which they do; None for none.

    Cores have memories of their own: along rows each loads all constants, along channels all of
    the input. The axis is the one along which fewer bytes are loaded more than once.
    """
    regions = layer_regions(layer)
    again: dict[int, int] = {}
    for axis, extent in enumerate(regions.extents[: len(layer.output.shape)]):
        if extent < cores or axis in regions.whole_axes:
            continue
        if axis == 3 and regions.channel_granule > 1:
            continue
        if axis and extent < cores * _granule(machine, regions, axis) and axis != 1:
            continue
        again[axis] = sum(
            spec.byte_size
            for operand, spec in enumerate(layer.inputs)
            if operand not in layer.external and axis not in regions.depends_on(operand)
        )
    if not again:
        return None
    axis = min(again, key=lambda a: (again[a], -regions.extents[a]))
    share = -(-regions.extents[axis] // cores)
    size = -(-share // -(-share // tiling.tile[axis]))
    tile = (*tiling.tile[:axis], size, *tiling.tile[axis + 1 :])
    return Tiling(tile, tiling.order, tiling.buffers), axis


def resident_slots(layer: Layer, inputs: Collection[int], output: bool) -> frozenset[int]:
    """Operands of a layer, and OUTPUT, that need no area on chip, as `areas` takes them.

    inputs: operands that are on chip as tensors. output: whether the result is. What only moves
    from the chip to DDR needs no area either.
    """
    slots = set(inputs)
    stored = layer.moves_only and layer.kind != "pad" and len(slots) == len(layer.inputs)
    if output or stored:
        slots.add(OUTPUT)
    return frozenset(slots)


def stack_areas(layer: Layer, needed: tuple[Area, ...]) -> tuple[tuple[int, ...], ...]:
    """L1 offsets of every buffer of a layer's areas, stacked from the bottom; constants first."""
    constant = {i for i, spec in enumerate(layer.inputs) if spec.constant}
    order = sorted(range(len(needed)), key=lambda i: needed[i].operand not in constant)
    offsets: list[tuple[int, ...]] = [()] * len(needed)
    used = 0
    for number in order:
        area = needed[number]
        offsets[number] = tuple(used + i * area.bytes_per_buffer for i in range(area.buffers))
        used += area.size_bytes
    return tuple(offsets)


@lru_cache(maxsize=16384)
def estimate(machine: Machine, layer: Layer, tiling: Tiling) -> Estimate:
    """The steady-state bound of one tiling of a layer by itself."""
    grid = _one(machine, layer, tiling.tile)
    bound = grid.bound(tiling.order, tiling.buffers)
    return Estimate(
        cycles=float(bound.cycles.max()),
        compute_cycles=float(bound.compute_cycles.max()),
        transfer_cycles=float(bound.transfer_cycles.max()),
        ddr_bytes=int(bound.ddr_bytes.max()),
        onchip_bytes=int(bound.onchip_bytes.max()),
        tiles=int(grid.number.max()),
    )


def _one(
    machine: Machine,
    layer: Layer,
    tile: tuple[int, ...],
    resident: frozenset[int] = frozenset(),
) -> GridCost:
    return GridCost(machine, layer, [(size,) for size in tile], resident)


@lru_cache(maxsize=4096)
def _search(machine: Machine, layer: Layer, budget: int, resident: frozenset[int]) -> Tiling | None:
    """The best of a coarse grid; where nothing of it fits, of a finer one that splits K too."""
    for fine in (False, True):
        grid = _grid(machine, layer, fine, resident)
        for limit in (MAX_BUFFERS, 1):
            found = _best(grid, limit, budget)
            if found is not None:
                return found
    return None


@lru_cache(maxsize=8)  # a layer's budgets are tried one after the other
def _grid(machine: Machine, layer: Layer, fine: bool, resident: frozenset[int]) -> GridCost:
    return GridCost(machine, layer, _candidates(machine, layer_regions(layer), fine), resident)


def _best(grid: GridCost, limit: int, budget: int) -> Tiling | None:
    best: tuple[tuple[float, int, int], Tiling] | None = None
    for order in _loop_orders(grid.regions):
        bound = grid.bound(order, limit)
        legal = bound.onchip_bytes <= budget
        if not legal.any():
            return None  # what fits doesn't depend on the order
        cycles = np.where(legal, bound.cycles, np.inf)
        good = cycles <= cycles.min() * INDIFFERENCE
        number = np.where(good, np.broadcast_to(grid.number, grid.shape), np.iinfo(np.int64).max)
        fewest = number == number.min()
        at = np.unravel_index(int(np.argmin(np.where(fewest, bound.ddr_bytes, np.inf))), grid.shape)
        index = tuple(int(i) for i in at)
        rank = (float(cycles[index]), int(number[index]), int(bound.ddr_bytes[index]))
        if best is None or rank < best[0]:
            best = (rank, Tiling(grid.tile_at(index), order, limit))
    return None if best is None else best[1]


def _loop_orders(regions: LayerRegions) -> tuple[tuple[int, ...], ...]:
    """Orders worth trying. K is always the innermost: partial sums then stay on chip."""
    if regions.reduction_axis is not None:
        return (0, 1, 2, 3, 4), (3, 0, 1, 2, 4)
    return (tuple(range(len(regions.extents))),)


def _halving_order(machine: Machine, layer: Layer) -> tuple[int, ...]:
    """Axes in the order in which they give way: images, rows, output channels, columns, then K.

    Where one operand alone doesn't fit, as a table that is indexed or an image that is sampled, the
    axes that it follows come first: cutting the others wouldn't make it smaller.
    """
    regions = layer_regions(layer)
    if regions.reduction_axis is not None:
        return (0, 1, 3, 2, 4)
    axes = tuple(range(len(regions.extents)))
    largest = max(areas(machine, layer, regions.extents, 1), key=lambda area: area.size_bytes)
    if largest.size_bytes <= machine.memory.l1_bytes or largest.operand < 0:
        return axes
    followed = regions.depends_on(largest.operand)
    return tuple(sorted(axes, key=lambda axis: axis not in followed))


def _smaller(regions: LayerRegions, axis: int, size: int) -> int:
    """The next smaller legal tile size of an axis; the same when there is none."""
    if size == 1 or axis in regions.whole_axes:
        return size
    return _legal_size(regions, axis, -(-size // 2))


def _legal_size(regions: LayerRegions, axis: int, size: int) -> int:
    """`size`, lowered to what the channel granule of grouped convolutions allows."""
    granule = regions.channel_granule
    if axis != 3 or granule in (0, 1):
        return size
    if size >= granule:
        return size // granule * granule
    return max(divisor for divisor in range(1, size + 1) if granule % divisor == 0)


def _candidates(machine: Machine, regions: LayerRegions, fine: bool) -> list[list[int]]:
    """Tile sizes to try per axis. `fine` adds splits of K and sizes below the unrolls."""
    free = [a for a, n in enumerate(regions.extents) if n > 1 and a not in regions.whole_axes]
    if not fine:
        free = [axis for axis in free if axis != regions.reduction_axis]
    limit = _AXIS_CANDIDATES[min(max(len(free), 1), 6)]
    result: list[list[int]] = []
    for axis, extent in enumerate(regions.extents):
        if axis not in free:
            result.append([extent])
            continue
        granule = 1 if fine else _granule(machine, regions, axis)
        result.append(_axis_sizes(regions, axis, extent, granule, limit))
    return result


def _axis_sizes(
    regions: LayerRegions, axis: int, extent: int, granule: int, limit: int
) -> list[int]:
    """About `limit` sizes: the axis in 1, 2, 3, 4, 6, 9 ... even parts.

    Each as it is, which is best where transfers bound, and rounded up to the granule, which is
    best where lanes do. Channels come rounded only: on chip they are padded anyway.
    """
    sizes: set[int] = {_legal_size(regions, axis, min(extent, granule))}
    ratio = max(1.5, extent ** (1.0 / limit))
    parts, tried = 1.0, 0
    while parts <= extent and tried < limit:
        even = -(-extent // int(parts))
        rounded = min(extent, align(even, granule))
        sizes.add(_legal_size(regions, axis, rounded))
        if axis < len(regions.layer.output.shape) - 1:
            sizes.add(_legal_size(regions, axis, even))
        parts, tried = max(parts + 1.0, parts * ratio), tried + 1
    return sorted(sizes)


def _granule(machine: Machine, regions: LayerRegions, axis: int) -> int:
    """Sizes below this waste lanes: the unroll of a convolution's axis, the lanes of channels."""
    if regions.reduction_axis is not None:
        tae = machine.tae
        return (1, tae.unroll_h, tae.unroll_w, tae.unroll_cout, tae.unroll_cin)[axis]
    last = axis == len(regions.extents) - 1
    itemsize = regions.layer.output.itemsize
    return max(1, machine.memory.channel_align_bytes // itemsize) if last else 1


def _too_large(machine: Machine, layer: Layer, tiling: Tiling) -> HbirError:
    need = onchip_bytes(machine, layer, tiling)
    return HbirError(
        f"{layer.name or layer.kind}: {layer.kind} of {list(layer.output.shape)} doesn't fit the"
        f" on-chip memory of {machine.name}: its smallest tile {list(tiling.tile)} needs {need}"
        f" bytes, there are {machine.memory.l1_bytes}. Reduced axes and the axis of a softmax can't"
        " be cut: reduce in two steps, or keep the op in float so that it runs on the CPU"
    )
