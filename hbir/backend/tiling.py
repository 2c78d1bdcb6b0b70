"""Tile sizes of one layer: which tiles, in which order, with how many buffers.

`first_tiling` halves axes until the working set fits (O0). `search_tiling` evaluates a grid of
candidates at once with NumPy against a steady-state bound: transfers and compute of neighbouring
tiles overlap where an operand has two buffers. Every number in the bound comes from `cost`, every
extent from `regions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.backend.cost import (
    BILINEAR_TAPS,
    ConvWork,
    Work,
    burst_bytes,
    conv_cycles,
    vector_cycles,
)
from hbir.backend.layer import Layer
from hbir.backend.march import Machine
from hbir.backend.memory import align
from hbir.backend.regions import AxisMap, LayerRegions, layer_regions
from hbir.errors import HbirError

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

MAX_BUFFERS = 2
_AXIS_CANDIDATES = {1: 32, 2: 24, 3: 12, 4: 8, 5: 5, 6: 4}
"""Tile sizes tried per axis, by the number of axes: keeps the grid at some thousand candidates."""


@dataclass(frozen=True)
class Tiling:
    """How a layer is cut. `tile` and `order` are over the iteration axes (`LayerRegions.extents`).

    order: axes from the outermost loop to the innermost. buffers: per slot (see `slots`).
    """

    tile: tuple[int, ...]
    order: tuple[int, ...]
    buffers: tuple[int, ...]


@dataclass(frozen=True)
class Slot:
    """An on-chip area of a layer: `operand` number, or OUTPUT or ACCUMULATOR."""

    operand: int
    bytes_per_buffer: int


OUTPUT = -1
ACCUMULATOR = -2


@dataclass(frozen=True)
class Estimate:
    """The steady-state bound of a tiling. DDR bytes are whole bursts; `onchip_bytes` all slots."""

    cycles: float
    compute_cycles: float
    transfer_cycles: float
    ddr_bytes: int
    onchip_bytes: int
    tiles: int


def slots(machine: Machine, layer: Layer, tile: tuple[int, ...]) -> tuple[Slot, ...]:
    """The on-chip areas that tiles of this size need: operands, output, accumulator.

    Layers that only move have just an output area: loads write straight into it. Accumulators
    (K splits) and areas hold the largest tile. Sizes are multiples of `base_align_bytes`.
    """
    model = _model(machine, layer)
    columns = [np.array([t], np.int64) for t in tile]
    numbers = [int(b[0]) for b in model.slot_bytes(columns)]
    split = _splits_reduction(model.regions, tile)
    areas = [Slot(o, n) for o, n in zip(model.slot_operands, numbers, strict=True)]
    return tuple(areas if split else [a for a in areas if a.operand != ACCUMULATOR])


def accumulator_itemsize(layer: Layer) -> int:
    """Bytes of a partial sum: 4 for int8 by int8, else 8 (48 bits are held in 64)."""
    return 4 if max(layer.inputs[0].itemsize, layer.inputs[1].itemsize) == 1 else 8


def first_tiling(machine: Machine, layer: Layer) -> Tiling:
    """The first tiling that fits with single buffers: axes are halved from the outermost inwards.

    Raises HbirError naming the layer when even the smallest tile doesn't fit.
    """
    regions = layer_regions(layer)
    tile = list(regions.extents)
    for axis in _halving_order(regions):
        while True:
            areas = slots(machine, layer, tuple(tile))
            if sum(area.bytes_per_buffer for area in areas) <= machine.memory.l1_bytes:
                return Tiling(tuple(tile), _loop_orders(regions)[0], (1,) * len(areas))
            smaller = _smaller(regions, axis, tile[axis])
            if smaller == tile[axis]:
                break
            tile[axis] = smaller
    raise _too_large(machine, layer, tuple(tile))


def search_tiling(machine: Machine, layer: Layer, budget_bytes: int | None = None) -> Tiling:
    """The tiling with the least steady-state bound whose buffers fit `budget_bytes` (default: L1).

    Raises HbirError naming the layer when no tile fits.
    """
    return _search(machine, layer, budget_bytes or machine.memory.l1_bytes)[0]


def estimate(machine: Machine, layer: Layer, tiling: Tiling) -> Estimate:
    """The steady-state bound of one tiling."""
    model = _model(machine, layer)
    tiles = [np.array([t], np.int64) for t in tiling.tile]
    held = zip(slots(machine, layer, tiling.tile), tiling.buffers, strict=True)
    areas = {slot.operand: count for slot, count in held}
    buffers = [np.array([areas.get(o, 1)], np.int64) for o in model.slot_operands]
    bound = model.bound(tiles, tiling.order, buffers)
    return bound.estimate(0)


@lru_cache(maxsize=4096)
def _search(machine: Machine, layer: Layer, budget: int) -> tuple[Tiling, Estimate]:
    model = _model(machine, layer)
    for fine in (False, True):
        found = _best(model, _candidates(machine, model.regions, fine), budget)
        if found is not None:
            return found
    # The grid is coarse for odd shapes: what halving finds is legal, if not the best.
    tiling = first_tiling(machine, layer)
    return tiling, estimate(machine, layer, tiling)


def _best(model: _Model, candidates: list[Ints], budget: int) -> tuple[Tiling, Estimate] | None:
    tiles = [column.ravel() for column in np.meshgrid(*candidates, indexing="ij")]
    legal = model.slot_total(tiles, 1) <= budget
    if not legal.any():
        return None
    tiles = [column[legal] for column in tiles]
    best: tuple[tuple[float, int, int], Tiling, Estimate] | None = None
    for order, double in product(_loop_orders(model.regions), (True, False)):
        buffers = model.buffers(tiles, double)
        bound = model.bound(tiles, order, buffers)
        bound.cycles[bound.onchip > budget] = np.inf
        at = int(np.lexsort((bound.tiles, bound.ddr, bound.cycles))[0])
        if not np.isfinite(bound.cycles[at]):
            continue
        rank = (float(bound.cycles[at]), int(bound.ddr[at]), int(bound.tiles[at]))
        if best is None or rank < best[0]:
            tile = tuple(int(column[at]) for column in tiles)
            best = (rank, _tiling(model, tile, order, buffers, at), bound.estimate(at))
    return None if best is None else best[1:]


def _tiling(
    model: _Model, tile: tuple[int, ...], order: tuple[int, ...], buffers: list[Ints], at: int
) -> Tiling:
    counts = {o: int(b[at]) for o, b in zip(model.slot_operands, buffers, strict=True)}
    if not _splits_reduction(model.regions, tile):
        counts.pop(ACCUMULATOR, None)
    return Tiling(tile, order, tuple(counts.values()))


@dataclass
class _Bound:
    """Arrays over candidates."""

    cycles: Reals
    compute: Reals
    transfer: Reals
    ddr: Ints
    onchip: Ints
    tiles: Ints

    def estimate(self, at: int) -> Estimate:
        return Estimate(
            float(self.cycles[at]),
            float(self.compute[at]),
            float(self.transfer[at]),
            int(self.ddr[at]),
            int(self.onchip[at]),
            int(self.tiles[at]),
        )


class _Model:
    """The cost of one layer's tilings, for arrays of tile sizes (one column per axis)."""

    def __init__(self, machine: Machine, layer: Layer) -> None:
        self.machine = machine
        self.layer = layer
        self.regions = layer_regions(layer)
        self.rank = len(layer.output.shape)
        operands = () if layer.moves_only else tuple(range(len(layer.inputs)))
        split = (ACCUMULATOR,) if self.regions.reduction_axis is not None else ()
        self.slot_operands = (*operands, OUTPUT, *split)
        self._axis_tables: dict[tuple[AxisMap, int], tuple[int, int, int]] = {}

    def counts(self, tiles: Sequence[Ints]) -> list[Ints]:
        """Tiles along each axis."""
        return [-(-n // t) for n, t in zip(self.regions.extents, tiles, strict=True)]

    def extents(self, axis_map: AxisMap, tiles: Sequence[Ints]) -> tuple[Ints, Ints, Ints]:
        """Largest and summed extent of an operand axis over its tiles; how many aren't empty."""
        if axis_map.axis is None:
            one = np.ones_like(tiles[0])
            return one * axis_map.size, one * axis_map.size, one
        sizes, inverse = np.unique(tiles[axis_map.axis], return_inverse=True)
        rows = np.array([self._axis_table(axis_map, int(t)) for t in sizes], np.int64)
        gathered = rows[inverse]
        return gathered[:, 0], gathered[:, 1], gathered[:, 2]

    def _axis_table(self, axis_map: AxisMap, tile: int) -> tuple[int, int, int]:
        key = (axis_map, tile)
        if key not in self._axis_tables:
            assert axis_map.axis is not None
            n = self.regions.extents[axis_map.axis]
            start = np.arange(0, n, tile, dtype=np.int64)
            low, high = axis_map.interval(start, np.minimum(start + tile, n))
            size = np.maximum(high - low, 0) // axis_map.step + (
                np.maximum(high - low, 0) % axis_map.step > 0
            )
            self._axis_tables[key] = (int(size.max()), int(size.sum()), int((size > 0).sum()))
        return self._axis_tables[key]

    def slot_bytes(self, tiles: Sequence[Ints]) -> list[Ints]:
        """Bytes of one buffer of each slot; 0 for an accumulator that isn't needed."""
        return [self._slot_bytes(operand, tiles) for operand in self.slot_operands]

    def _slot_bytes(self, operand: int, tiles: Sequence[Ints]) -> Ints:
        if operand == OUTPUT:
            shape, item = list(tiles[: self.rank]), self.layer.output.itemsize
            return self._aligned(shape, item, padded=True)
        if operand == ACCUMULATOR:
            size = self._aligned(tiles[: self.rank], accumulator_itemsize(self.layer), padded=True)
            return np.where(tiles[4] < self.regions.extents[4], size, 0)
        spec = self.layer.inputs[operand]
        shape = [self.extents(m, tiles)[0] for m in self.regions.operands[operand]]
        return self._aligned(shape, spec.itemsize, padded=not spec.constant)

    def _aligned(self, shape: Sequence[Ints], itemsize: int, padded: bool) -> Ints:
        memory = self.machine.memory
        last = shape[-1] * itemsize if shape else np.array([itemsize], np.int64)
        if padded:
            last = -(-last // memory.channel_align_bytes) * memory.channel_align_bytes
        total = last
        for column in shape[:-1]:
            total = total * column
        return -(-total // memory.base_align_bytes) * memory.base_align_bytes

    def slot_total(self, tiles: Sequence[Ints], buffers: int) -> Ints:
        """Bytes of all slots with the same number of buffers each."""
        return np.sum(self.slot_bytes(tiles), axis=0) * buffers

    def distinct(self, operand: int, counts: Sequence[Ints]) -> Ints:
        """How many different boxes of a slot's operand the tiles touch."""
        if operand in (OUTPUT, ACCUMULATOR):
            axes: frozenset[int] = frozenset(range(self.rank))
        else:
            axes = self.regions.depends_on(operand)
        result = np.ones_like(counts[0])
        for axis in axes:
            result = result * counts[axis]
        return result

    def buffers(self, tiles: Sequence[Ints], double: bool) -> list[Ints]:
        """Buffers per slot: one, or two where the contents change; accumulators need no second."""
        counts = self.counts(tiles)
        limit = MAX_BUFFERS if double else 1
        return [
            np.minimum(self.distinct(o, counts), 1 if o == ACCUMULATOR else limit)
            for o in self.slot_operands
        ]

    def bound(
        self, tiles: Sequence[Ints], order: tuple[int, ...], buffers: Sequence[Ints]
    ) -> _Bound:
        """The steady-state bound: per tile, transfers beside compute, or after each other."""
        counts = self.counts(tiles)
        number = np.prod(np.array(counts), axis=0)
        load_bytes, loads = self._loads(tiles, counts, order, buffers)
        store_bytes, stores = self._stores(tiles, counts)
        bandwidth, latency = (
            self.machine.ddr_bytes_per_cycle,
            self.machine.ddr.transfer_latency_cycles,
        )
        load = load_bytes / bandwidth + loads * float(latency)
        store = store_bytes / bandwidth + stores * float(latency)
        compute = self._compute(tiles, counts, number)
        serial = load + compute + store
        streamed = np.maximum(np.maximum(load, store), (load_bytes + store_bytes) / bandwidth)
        overlapped = (number - 1) * np.maximum(streamed, compute) / number + serial / number
        doubled = np.ones(number.shape, bool)
        for operand, held in zip(self.slot_operands, buffers, strict=True):
            if operand != ACCUMULATOR:
                doubled &= held >= np.minimum(self.distinct(operand, counts), MAX_BUFFERS)
        total = np.sum(
            [b * held for b, held in zip(self.slot_bytes(tiles), buffers, strict=True)], axis=0
        )
        return _Bound(
            cycles=np.where(doubled, overlapped, serial),
            compute=compute,
            transfer=load + store,
            ddr=(load_bytes + store_bytes).astype(np.int64),
            onchip=total,
            tiles=number,
        )

    def _loads(
        self,
        tiles: Sequence[Ints],
        counts: Sequence[Ints],
        order: tuple[int, ...],
        buffers: Sequence[Ints],
    ) -> tuple[Ints, Ints]:
        """DDR bytes of all loads, and their number."""
        held = dict(zip(self.slot_operands, buffers, strict=True))
        total, number = np.zeros_like(counts[0]), np.zeros_like(counts[0])
        for operand, spec in enumerate(self.layer.inputs):
            repeats = self._repeats(operand, counts, order)
            if operand in held:
                repeats = np.where(self.distinct(operand, counts) <= held[operand], 1, repeats)
            shape: list[Ints] = []
            elements = loads = np.ones_like(counts[0])
            for axis_map in self.regions.operands[operand]:
                largest, summed, present = self.extents(axis_map, tiles)
                shape.append(largest)
                elements, loads = elements * summed, loads * present
            size = elements * spec.itemsize
            run = self._run_bytes(operand, shape)
            total += repeats * burst_bytes(self.machine, -(-size // run), run)
            number += repeats * loads
        return total, number

    def _run_bytes(self, operand: int, shape: Sequence[Ints]) -> Ints:
        """Contiguous DDR bytes of a tile of an operand; constants are packed in tile order."""
        spec = self.layer.inputs[operand]
        run = np.full_like(shape[-1], spec.itemsize) if shape else np.array([spec.itemsize])
        contiguous = np.ones(run.shape, bool)
        for axis in reversed(range(len(shape))):
            if spec.constant or self.regions.operands[operand][axis].step == 1:
                run = np.where(contiguous, run * np.maximum(shape[axis], 1), run)
            else:
                contiguous = np.zeros(run.shape, bool)
            if not spec.constant:
                contiguous = contiguous & (shape[axis] == spec.shape[axis])
        return run

    def _repeats(self, operand: int, counts: Sequence[Ints], order: tuple[int, ...]) -> Ints:
        """How often each box of an operand is loaded: once per iteration of the loops around the
        innermost one that changes it."""
        axes = self.regions.depends_on(operand)
        repeats, changing = np.ones_like(counts[0]), np.zeros(counts[0].shape, bool)
        for axis in reversed(order):
            if axis in axes:
                changing |= counts[axis] > 1
            else:
                repeats = np.where(changing, repeats * counts[axis], repeats)
        return repeats

    def _stores(self, tiles: Sequence[Ints], counts: Sequence[Ints]) -> tuple[Ints, Ints]:
        spec = self.layer.output
        run = np.full_like(counts[0], spec.itemsize)
        contiguous = np.ones(run.shape, bool)
        for axis in reversed(range(self.rank)):
            run = np.where(contiguous, run * tiles[axis], run)
            contiguous = contiguous & (tiles[axis] == spec.shape[axis])
        number = np.ones_like(counts[0])
        for axis in range(self.rank):
            number = number * counts[axis]
        return burst_bytes(self.machine, -(-spec.byte_size // run), run), number

    def _compute(self, tiles: Sequence[Ints], counts: Sequence[Ints], number: Ints) -> Reals:
        if self.layer.moves_only:
            return np.zeros(number.shape, np.float64)
        if self.layer.kind == "conv2d":
            return self._conv(tiles, counts)
        output = self._average_elements(tiles[: self.rank], self.layer.output.itemsize)
        first = self.layer.inputs[0]
        shape = [self.extents(m, tiles)[0] for m in self.regions.operands[0]]
        work = Work(
            output_elements=output,
            input_elements=self._average_elements(shape, first.itemsize),
            output_itemsize=self.layer.output.itemsize,
            input_itemsize=first.itemsize,
            taps=taps_of(self.layer.kind, self.layer.params),
        )
        return number * vector_cycles(self.machine, self.layer.opcode, work)

    def _average_elements(self, shape: Sequence[Ints], itemsize: int) -> Ints:
        if not shape:
            return np.ones(1, np.int64)
        lanes = max(1, self.machine.memory.channel_align_bytes // itemsize)
        total = -(-shape[-1] // lanes) * lanes
        for column in shape[:-1]:
            total = total * column
        return total

    def _conv(self, tiles: Sequence[Ints], counts: Sequence[Ints]) -> Reals:
        """Exact sum over the tiles: inner and last tiles along H, W and Cout are of two sizes."""
        extents = self.regions.extents
        weights = self.layer.inputs[1]
        outputs_per_group = weights.shape[0] // self.layer.groups
        total = np.zeros(counts[0].shape, np.float64)
        for last in product((False, True), repeat=3):
            sizes: list[Ints] = []
            repeats = counts[0] * counts[4]
            for axis, is_last in zip((1, 2, 3), last, strict=True):
                rest = extents[axis] - (counts[axis] - 1) * tiles[axis]
                sizes.append(rest if is_last else tiles[axis])
                repeats = repeats * (1 if is_last else counts[axis] - 1)
            if not repeats.any():
                continue
            work = ConvWork(
                n=tiles[0],
                h=sizes[0],
                w=sizes[1],
                cout=sizes[2],
                kernel_h=weights.shape[1],
                kernel_w=weights.shape[2],
                cin_per_group=tiles[4],
                groups=np.maximum(1, sizes[2] // outputs_per_group),
                input_itemsize=self.layer.inputs[0].itemsize,
                weight_itemsize=weights.itemsize,
            )
            total += repeats * conv_cycles(self.machine, work)
        return total


@lru_cache(maxsize=1024)
def _model(machine: Machine, layer: Layer) -> _Model:
    return _Model(machine, layer)


def taps_of(kind: str, params: Any) -> int:
    """Elements that one output of a pool or resize reads; 1 for everything else."""
    if kind in ("max_pool", "avg_pool"):
        return prod(params["kernel"])
    if kind == "resize2d":
        return BILINEAR_TAPS if params.get("mode") == "bilinear" else 1
    return 1


def _splits_reduction(regions: LayerRegions, tile: tuple[int, ...]) -> bool:
    axis = regions.reduction_axis
    return axis is not None and tile[axis] < regions.extents[axis]


def _loop_orders(regions: LayerRegions) -> tuple[tuple[int, ...], ...]:
    """Orders worth trying. K is always the innermost: partial sums then stay on chip."""
    if regions.reduction_axis is not None:
        return (0, 1, 2, 3, 4), (3, 0, 1, 2, 4)
    return (tuple(range(len(regions.extents))),)


def _halving_order(regions: LayerRegions) -> tuple[int, ...]:
    """Axes in the order in which they give way: images, rows, channels, columns, then K."""
    if regions.reduction_axis is not None:
        return (0, 1, 3, 2, 4)
    return tuple(range(len(regions.extents)))


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
    return max(d for d in range(1, size + 1) if granule % d == 0)


def _candidates(machine: Machine, regions: LayerRegions, fine: bool) -> list[Ints]:
    """Tile sizes to try per axis. `fine` adds splits of K and sizes below the unrolls."""
    free = [a for a, n in enumerate(regions.extents) if n > 1 and a not in regions.whole_axes]
    limit = _AXIS_CANDIDATES[min(max(len(free), 1), 6)]
    result: list[Ints] = []
    for axis, extent in enumerate(regions.extents):
        if axis not in free or (axis == regions.reduction_axis and not fine):
            result.append(np.array([extent], np.int64))
            continue
        granule = 1 if fine else _granule(machine, regions, axis)
        result.append(np.array(_axis_sizes(regions, axis, extent, granule, limit), np.int64))
    return result


def _axis_sizes(
    regions: LayerRegions, axis: int, extent: int, granule: int, limit: int
) -> list[int]:
    """At most `limit` sizes from the whole axis down, even parts first, geometrically spaced."""
    sizes: set[int] = set()
    parts = 1.0
    while parts <= extent and len(sizes) < limit:
        size = min(extent, align(-(-extent // int(parts)), granule))
        sizes.add(_legal_size(regions, axis, size))
        parts = max(parts + 1.0, parts * 1.5)
    sizes.add(_legal_size(regions, axis, min(extent, granule)))
    return sorted(sizes)


def _granule(machine: Machine, regions: LayerRegions, axis: int) -> int:
    """Sizes below this waste lanes: the unroll of a convolution's axis, the lanes of channels."""
    if regions.reduction_axis is not None:
        tae = machine.tae
        return (1, tae.unroll_h, tae.unroll_w, tae.unroll_cout, tae.unroll_cin)[axis]
    last = axis == len(regions.extents) - 1
    itemsize = regions.layer.output.itemsize
    return max(1, machine.memory.channel_align_bytes // itemsize) if last else 1


def _too_large(machine: Machine, layer: Layer, tile: tuple[int, ...]) -> HbirError:
    need = sum(area.bytes_per_buffer for area in slots(machine, layer, tile))
    return HbirError(
        f"{layer.name or layer.kind}: {layer.kind} of {list(layer.output.shape)} doesn't fit the"
        f" on-chip memory of {machine.name}: its smallest tile {list(tile)} needs {need} bytes,"
        f" there are {machine.memory.l1_bytes}"
    )
