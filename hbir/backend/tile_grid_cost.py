"""The steady-state bound of many tilings of one layer at once.

A `GridCost` holds candidate tile sizes per iteration axis as arrays that broadcast against each
other, so a quantity that follows one axis (an operand's extent, the passes along H) is computed
once per candidate of that axis and only products span the whole grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.backend.axis_maps import AxisMap, Same
from hbir.backend.cost import (
    BILINEAR_TAPS,
    POOLS,
    SAMPLERS,
    MatmulWork,
    Work,
    burst_bytes,
    ceil_div,
    cycles_per_pass,
    matmul_cycles,
    output_channel_passes,
    padded_elements,
    resizer_bytes,
    resizer_fixed_cycles,
    vector_cycles,
)
from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.march import Machine
from hbir.backend.regions import layer_regions

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

MAX_BUFFERS = 2

OUTPUT = -1
ACCUMULATOR = -2


@dataclass(frozen=True)
class Bound:
    """Arrays over the grid. DDR bytes are whole bursts; `onchip_bytes` those of all buffers."""

    cycles: Reals
    compute_cycles: Reals
    transfer_cycles: Reals
    ddr_bytes: Ints
    onchip_bytes: Ints


class GridCost:
    """Candidate tilings of a layer: every combination of the given sizes of each axis.

    resident: operands, or OUTPUT, that are on chip as whole tensors: nothing of them is moved, and
    they have no area of their own.
    """

    def __init__(
        self,
        machine: Machine,
        layer: Layer,
        sizes: Sequence[Sequence[int]],
        resident: frozenset[int] = frozenset(),
    ) -> None:
        self.machine = machine
        self.layer = layer
        self.regions = layer_regions(layer)
        self.rank = len(layer.output.shape)
        axes = len(sizes)
        self.tiles: list[Ints] = [
            np.array(column, np.int64).reshape([-1 if a == axis else 1 for a in range(axes)])
            for axis, column in enumerate(sizes)
        ]
        self.shape = tuple(len(column) for column in sizes)
        self.counts = [
            ceil_div(n, t) for n, t in zip(self.regions.extents, self.tiles, strict=True)
        ]
        one = np.ones((1,) * axes, np.int64)
        self.number = np.asarray(prod(self.counts, start=one))
        self.resident = resident
        loaded = (i for i in range(len(layer.inputs)) if i not in layer.external)
        operands = () if layer.moves_only else tuple(loaded)
        split = (ACCUMULATOR,) if self.regions.reduction_axis is not None else ()
        self.slots = tuple(s for s in (*operands, OUTPUT, *split) if s not in resident)
        """Operand number of each on-chip area, or OUTPUT or ACCUMULATOR."""
        self._tables: dict[AxisMap, tuple[Ints, Ints, Ints]] = {}
        self._bounds: dict[tuple[tuple[int, ...], int], Bound] = {}

    def tile_at(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """The tile sizes of one grid point."""
        return tuple(int(t.ravel()[i]) for t, i in zip(self.tiles, index, strict=True))

    def extents(self, axis_map: AxisMap) -> tuple[Ints, Ints, Ints]:
        """Largest and summed extent of an operand axis over its tiles; how many aren't empty."""
        if axis_map not in self._tables:
            self._tables[axis_map] = self._extents(axis_map)
        return self._tables[axis_map]

    def _extents(self, axis_map: AxisMap) -> tuple[Ints, Ints, Ints]:
        if axis_map.axis is None:
            whole = np.array(axis_map.size, np.int64)
            return whole, whole, np.array(1, np.int64)
        tiles = self.tiles[axis_map.axis]
        n = self.regions.extents[axis_map.axis]
        if isinstance(axis_map, Same):
            return tiles, np.array(n, np.int64), self.counts[axis_map.axis]
        # All tiles of all candidates behind one another, then one reduction per candidate.
        sizes: list[int] = tiles.ravel().tolist()
        starts = [np.arange(0, n, size, dtype=np.int64) for size in sizes]
        first = np.cumsum([0, *(len(column) for column in starts[:-1])])
        start = np.concatenate(starts)
        stop = np.minimum(start + np.repeat(sizes, [len(column) for column in starts]), n)
        low, high = axis_map.interval(start, stop)
        size = ceil_div(np.maximum(high - low, 0), axis_map.step)
        largest = np.maximum.reduceat(size, first).reshape(tiles.shape)
        summed = np.add.reduceat(size, first).reshape(tiles.shape)
        present = np.add.reduceat((size > 0).astype(np.int64), first).reshape(tiles.shape)
        return largest, summed, present

    @cached_property
    def slot_bytes(self) -> list[Ints]:
        """Bytes of one buffer of each slot; 0 for an accumulator where K isn't split."""
        return [self._slot_bytes(slot) for slot in self.slots]

    def _slot_bytes(self, slot: int) -> Ints:
        if slot == OUTPUT:
            return self._aligned(self.tiles[: self.rank], self.layer.output.itemsize, True)
        if slot == ACCUMULATOR:
            size = self._aligned(self.tiles[: self.rank], accumulator_itemsize(self.layer), True)
            return np.where(self.counts[4] > 1, size, 0)
        spec = self.layer.inputs[slot]
        shape = [self.extents(m)[0] for m in self.regions.operands[slot]]
        return self._aligned(shape, spec.itemsize, not spec.constant)

    def _aligned(self, shape: Sequence[Ints], itemsize: int, padded: bool) -> Ints:
        memory = self.machine.memory
        last = shape[-1] * itemsize if shape else np.array(itemsize, np.int64)
        if padded:
            last = ceil_div(last, memory.channel_align_bytes) * memory.channel_align_bytes
        total = np.asarray(prod(shape[:-1], start=last))
        return ceil_div(total, memory.base_align_bytes) * memory.base_align_bytes

    def distinct(self, slot: int) -> Ints:
        """How many different boxes of a slot's operand the tiles touch."""
        axes = range(self.rank) if slot < 0 else self.regions.depends_on(slot)
        return np.asarray(prod((self.counts[a] for a in axes), start=np.array(1, np.int64)))

    def bound(self, order: tuple[int, ...], limit: int) -> Bound:
        """The steady-state bound with at most `limit` buffers per operand, remembered."""
        key = (order, limit)
        if key not in self._bounds:
            self._bounds[key] = self._bound(order, self.buffers(limit))
        return self._bounds[key]

    def buffers(self, limit: int) -> list[Ints]:
        """Buffers per slot: at most `limit`, one where nothing changes; one accumulator."""
        return [np.minimum(self.distinct(s), 1 if s == ACCUMULATOR else limit) for s in self.slots]

    def _bound(self, order: tuple[int, ...], buffers: Sequence[Ints]) -> Bound:
        """Per tile, transfers beside compute, or one after the other.

        Transfers overlap compute where every slot that changes has `MAX_BUFFERS` buffers; what is
        loaded once for all tiles comes before the first.
        """
        (once_bytes, once), (load_bytes, loads) = self._loads(order, buffers)
        store_bytes, stores = self._stores
        latency = float(self.machine.ddr.transfer_latency_cycles)
        rate = self.machine.ddr_bytes_per_cycle
        first = once_bytes / rate + once * latency
        loading, storing = load_bytes / rate, store_bytes / rate
        load = loading + loads * latency
        store = storing + stores * latency
        compute, moved = self.compute, once_bytes + load_bytes + store_bytes
        if self.layer.external:  # its instructions stand among the loads, and share the DDR
            load, compute = load + compute, np.array(0.0)
            loading = loading + self._resized_bytes / rate
            moved = moved + self._resized_bytes
        serial = load + compute + store
        steady = np.maximum(_streamed(load, loading, store, storing), compute)
        overlapped = steady + (serial - steady) / self.number
        doubled = np.array(True)
        for slot, held in zip(self.slots, buffers, strict=True):
            if slot != ACCUMULATOR:
                doubled = doubled & (held >= np.minimum(self.distinct(slot), MAX_BUFFERS))
        onchip = sum(
            (size * held for size, held in zip(self.slot_bytes, buffers, strict=True)),
            start=np.zeros(self.shape, np.int64),
        )
        return Bound(
            cycles=self._spread(first + np.where(doubled, overlapped, serial)),
            compute_cycles=self._spread(compute),
            transfer_cycles=self._spread(first + load + store),
            ddr_bytes=self._spread(moved),
            onchip_bytes=self._spread(onchip),
        )

    def _spread(self, values: Any) -> Any:
        """One value per grid point; a scalar's grid has no axes, but a point."""
        return np.broadcast_to(values if self.shape else np.reshape(values, ()), self.shape)

    def _loads(
        self, order: tuple[int, ...], buffers: Sequence[Ints]
    ) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
        """DDR bytes and number of loads: of operands that stay on chip, and of the others.

        What stays is fetched by the first tiles, beside which there is little to compute.
        """
        held = dict(zip(self.slots, buffers, strict=True))
        zero = np.array(0, np.int64)
        once_bytes = once = many_bytes = many = zero
        for operand, (size, loads) in enumerate(self._sweeps):
            if operand in self.resident or operand in self.layer.external:
                continue
            repeats = self._repeats(operand, order)
            if operand in held:
                single = self.distinct(operand) <= held[operand]
                repeats = np.where(single, 1, repeats)
            else:
                single = np.array(False)
            single = single & (self.number > 1)
            once_bytes = once_bytes + np.where(single, size, 0)
            once = once + np.where(single, loads, 0)
            many_bytes = many_bytes + np.where(single, 0, repeats * size)
            many = many + np.where(single, 0, repeats * loads)
        return (once_bytes, once), (many_bytes, many)

    def _repeats(self, operand: int, order: tuple[int, ...]) -> Ints:
        """How often each box of an operand is loaded: once per iteration of the loops around the
        innermost one that changes it."""
        axes = self.regions.depends_on(operand)
        repeats, changing = np.array(1, np.int64), np.array(False)
        for axis in reversed(order):
            if axis in axes:
                changing = changing | (self.counts[axis] > 1)
            else:
                repeats = np.where(changing, repeats * self.counts[axis], repeats)
        return repeats

    @cached_property
    def _sweeps(self) -> list[tuple[Ints, Ints]]:
        """Per operand: DDR bytes and number of loads that fetch each of its boxes once."""
        result: list[tuple[Ints, Ints]] = []
        for operand, spec in enumerate(self.layer.inputs):
            shape: list[Ints] = []
            elements = loads = np.array(1, np.int64)
            for axis_map in self.regions.operands[operand]:
                largest, summed, present = self.extents(axis_map)
                shape.append(largest)
                elements, loads = elements * summed, loads * present
            run = self._run_bytes(operand, shape)
            runs = ceil_div(elements * spec.itemsize, run)
            moved = burst_bytes(self.machine, runs, run)
            if not spec.constant and shape:
                last = self.regions.operands[operand][-1]
                cut = (self.extents(last)[0] < spec.shape[-1]) & (last.step == 1)
                exact = ceil_div(elements, self.extents(last)[1]) * self._bursts(last, spec)
                moved = np.where(cut, exact, moved)
            result.append((moved, loads))
        return result

    def _run_bytes(self, operand: int, shape: Sequence[Ints]) -> Ints:
        """Contiguous DDR bytes of a tile of an operand; constants are packed in tile order."""
        spec = self.layer.inputs[operand]
        maps = self.regions.operands[operand]
        if spec.constant:
            return np.asarray(prod(shape, start=np.array(spec.itemsize, np.int64)))
        run, contiguous = np.array(spec.itemsize, np.int64), np.array(True)
        for axis in reversed(range(len(shape))):
            contiguous = contiguous & (maps[axis].step == 1)
            run = np.where(contiguous, run * np.maximum(shape[axis], 1), run)
            contiguous = contiguous & (shape[axis] == spec.shape[axis])
        return run

    @cached_property
    def _stores(self) -> tuple[Ints, Ints]:
        spec = self.layer.output
        if OUTPUT in self.resident:
            return np.array(0, np.int64), np.array(0, np.int64)
        run, contiguous = np.array(spec.itemsize, np.int64), np.array(True)
        for axis in reversed(range(self.rank)):
            run = np.where(contiguous, run * self.tiles[axis], run)
            contiguous = contiguous & (self.tiles[axis] == spec.shape[axis])
        moved = burst_bytes(self.machine, ceil_div(spec.byte_size, run), run)
        if self.rank:
            last = Same(self.rank - 1, spec.shape[-1])
            exact = spec.byte_size // (spec.shape[-1] * spec.itemsize) * self._bursts(last, spec)
            moved = np.where(self.tiles[self.rank - 1] < spec.shape[-1], exact, moved)
        return moved, self.distinct(OUTPUT)

    def _bursts(self, axis_map: AxisMap, spec: TensorSpec) -> Ints:
        """Bytes of whole bursts that all tiles of a cut last axis take, of one run each."""
        if axis_map.axis is None:
            return burst_bytes(self.machine, 1, axis_map.size * spec.itemsize)
        tiles, n = self.tiles[axis_map.axis], self.regions.extents[axis_map.axis]
        sizes: list[int] = tiles.ravel().tolist()
        moved: list[int] = []
        for size in sizes:
            start = np.arange(0, n, size, dtype=np.int64)
            low, high = axis_map.interval(start, np.minimum(start + size, n))
            run = np.maximum(high - low, 0) * spec.itemsize
            moved.append(int(burst_bytes(self.machine, 1, run).sum()))
        return np.array(moved, np.int64).reshape(tiles.shape)

    @cached_property
    def compute(self) -> Reals:
        """Cycles of all compute instructions of each tiling."""
        if self.layer.moves_only:
            return np.array(0.0)
        if self.layer.kind == "conv2d":
            return self._conv_cycles()
        if self.layer.kind == "matmul":
            return self._matmul_cycles()
        if self.layer.kind == "roi_resize":
            return self._resizer_cycles()
        first = self.layer.inputs[0]
        inputs = [self.extents(m)[0] for m in self.regions.operands[0]]
        work = Work(
            output_elements=self._elements(self.tiles[: self.rank], self.layer.output.itemsize),
            input_elements=self._elements(inputs, first.itemsize),
            output_itemsize=self.layer.output.itemsize,
            input_itemsize=first.itemsize,
            taps=taps_of(self.layer.opcode, self.layer.params),
        )
        return self.number * vector_cycles(self.machine, self.layer.opcode, work)

    def _matmul_cycles(self) -> Reals:
        lhs, rhs = self.layer.inputs
        *batch, rows, columns = self.tiles[: self.rank]
        work = MatmulWork(
            np.asarray(prod(batch, start=np.array(1, np.int64))),
            rows + bool(self.layer.params.get("lhs_zero_point", 0)),
            columns,
            lhs.shape[-1],
            lhs.itemsize,
            rhs.itemsize,
        )
        return self.number * matmul_cycles(self.machine, work)

    def _resizer_cycles(self) -> Reals:
        """Its reads of the DDR count as its work."""
        _, rows, columns, channels = self.tiles[: self.rank]
        fixed = self.number * resizer_fixed_cycles(self.machine, rows * columns * channels)
        return fixed + self._resized_bytes / self.machine.ddr_bytes_per_cycle

    @cached_property
    def _resized_bytes(self) -> Ints:
        """DDR bytes that the instructions of a layer with external operands read themselves."""
        _, rows, columns, channels = self.tiles[: self.rank]
        return self.number * resizer_bytes(self.machine, rows, columns, channels)

    def _elements(self, shape: Sequence[Ints], itemsize: int) -> Ints:
        columns = np.stack(np.broadcast_arrays(*shape), axis=-1) if shape else np.zeros((1, 0), int)
        return np.asarray(padded_elements(self.machine, columns, itemsize))

    def _conv_cycles(self) -> Reals:
        """The sum of `conv_cycles` over the tiles, exactly: its passes factor into the axes."""
        tae, extents = self.machine.tae, self.regions.extents
        weights = self.layer.inputs[1]
        per_group = weights.shape[0] // self.layer.groups

        whole = self.layer.groups > 1
        cin = np.array(extents[4] if whole else tae.unroll_cin, np.int64)

        def passes_along(axis: int, size: Ints) -> Ints:
            if axis == 3:
                groups = np.maximum(1, size // per_group) if whole else np.ones_like(size)
                return np.asarray(output_channel_passes(self.machine, size, cin, groups))
            unroll = (1, tae.unroll_h, tae.unroll_w, 1, tae.unroll_cin)[axis]
            return ceil_div(size, unroll)

        passes = np.array(prod(weights.shape[1:3]), np.float64)
        for axis, (tile, count) in enumerate(zip(self.tiles, self.counts, strict=True)):
            last = extents[axis] - (count - 1) * tile
            summed = (count - 1) * passes_along(axis, tile) + passes_along(axis, last)
            passes = passes * summed.astype(np.float64)
        rate = cycles_per_pass(self.machine, self.layer.inputs[0].itemsize, weights.itemsize)
        return passes * rate + self.number * float(tae.startup_cycles)


def _streamed(load: Reals, load_moving: Reals, store: Reals, store_moving: Reals) -> Reals:
    """Cycles of loads and stores side by side: the busier queue, slowed by the other's bytes.

    `*_moving` is the part of `load` and `store` in which bytes move. The DDR is shared equally, so
    the other queue's bytes delay the busier one except where they move during its latencies.
    """
    loading = load >= store
    busier = np.maximum(np.where(loading, load, store), 1e-9)
    moving = np.where(loading, load_moving, store_moving)
    other = np.where(loading, store_moving, load_moving)
    return np.asarray(busier + other * (moving / busier), np.float64)


def accumulator_itemsize(layer: Layer) -> int:
    """Bytes of a partial sum: 4 for int8 by int8, else 8 (48 bits are held in 64)."""
    return 4 if max(layer.inputs[0].itemsize, layer.inputs[1].itemsize) == 1 else 8


def taps_of(opcode: str, params: Any) -> int:
    """Elements that one output of a pool or resize reads; 1 for everything else."""
    if opcode in POOLS:
        return prod(params["kernel"])
    if opcode in SAMPLERS:
        return BILINEAR_TAPS if params.get("mode") == "bilinear" else 1
    return 1
