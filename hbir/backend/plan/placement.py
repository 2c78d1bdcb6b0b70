"""Groups and addresses: a planned network's layers with their tiles, one group after the other.

Layers on engines that can work side by side become a group of several row tiles even where their
tensors fit whole, so that one works on the rows that the other has made. Then each group takes its
memory: tensors tightly, constants where the bytes have been free the longest, in as many slabs as
there is room for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from hbir.backend.isa.descriptor import padded_strides
from hbir.backend.layer import TensorSpec
from hbir.backend.march import Machine
from hbir.backend.plan.arena import Arena
from hbir.backend.plan.homes import Home, find_homes
from hbir.backend.plan.network import (
    Network,
    Node,
    constant_bytes,
    engine_of,
    overlap,
    whole_cycles,
)
from hbir.backend.plan.residence import NEAR, WORKING_BYTES, Residence
from hbir.backend.plan.stripes import StripedGroup, ring_bytes, stripe
from hbir.backend.plan.tiles import (
    SLAB_BYTES,
    resident_layer,
    slab_tiling,
    streamed_tiling,
    whole_tiling,
)
from hbir.backend.tiling import Area, Tiling, areas, resident_slots

TURN_CYCLES = 3000
"""Cycles of the busiest engine per row tile where layers take turns for the engines' sake."""
MAX_TURNS = 8


@dataclass(frozen=True)
class PlannedLayer:
    """A layer of the plan: a node, its group, its tiles, and where its areas lie on chip."""

    node: Node
    group: int
    tiling: Tiling
    areas: tuple[Area, ...]
    offsets: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class OnchipPlace:
    """Where a tensor lies on chip. strides: in bytes, only of a part of another tensor."""

    offset: int
    size_bytes: int
    ring_rows: int = 0
    strides: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Layers in the order in which they run, and the tensors that are on chip."""

    layers: tuple[PlannedLayer, ...]
    specs: tuple[TensorSpec, ...]
    places: Mapping[int, OnchipPlace]
    ddr_values: Mapping[int, int]
    """Tensor that must be in DDR at the end → its number there."""


def resident_of(node: Node, onchip: Collection[int]) -> frozenset[int]:
    """Operands of a layer, and OUTPUT, that need no area."""
    inputs = {i for i, o in enumerate(node.operands) if o.tensor in onchip}
    return resident_slots(node.layer, inputs, node.output in onchip)


@dataclass(frozen=True)
class _Group:
    """Layers planned together. `striped` where they take turns."""

    nodes: tuple[Node, ...]
    striped: StripedGroup | None = None


def place(
    machine: Machine,
    network: Network,
    residence: Residence,
    ranges: Sequence[tuple[int, int, int]],
) -> Plan | None:
    """The plan of ranges of layers, each (first, last + 1, stripes); None where it doesn't fit."""
    onchip = residence.onchip
    ranged = [
        (tuple(n for number in range(low, high) for n in residence.expand(number)), stripes)
        for low, high, stripes in ranges
    ]
    everything = [node for nodes, _ in ranged for node in nodes]
    homes = find_homes(machine, everything, residence.specs, onchip, NEAR)
    groups: list[_Group] = []
    singles: list[Node] = []
    for nodes, stripes in ranged:
        if stripes == 1:
            singles += nodes
            continue
        groups += _take_turns(machine, singles, homes)
        singles = []
        groups.append(_Group(nodes, stripe(machine, nodes, homes, stripes)))
    groups += _take_turns(machine, singles, homes)
    layers = _Placer(machine, residence.specs, onchip, homes, groups).run()
    if layers is None:
        return None
    placed, places = layers
    kept = {tensor: residence.ddr_value(tensor) for tensor in network.kept}
    return Plan(tuple(placed), tuple(residence.specs), places, kept)


def _take_turns(machine: Machine, nodes: Sequence[Node], homes: Mapping[int, Home]) -> list[_Group]:
    """Neighbouring layers whose engines can work side by side, as groups; the others alone."""
    groups: list[_Group] = []
    run: list[Node] = []
    for node in nodes:
        if run and _joins(machine, run, node):
            run.append(node)
            continue
        groups += _turns(machine, run, homes)
        run = [node]
    return groups + _turns(machine, run, homes)


def _joins(machine: Machine, run: Sequence[Node], node: Node) -> bool:
    if max(constant_bytes(machine, n.layer) for n in (run[0], node)) > WORKING_BYTES:
        return False
    mine = engine_of(machine, node.layer)
    made = {n.output: n for n in run}
    producers = [made[o.tensor] for o in node.operands if o.tensor in made]
    return len(run) < 16 and any(
        overlap(machine, engine_of(machine, p.layer), mine) for p in producers
    )


def _turns(machine: Machine, run: Sequence[Node], homes: Mapping[int, Home]) -> list[_Group]:
    alone = [_Group((node,)) for node in run]
    if len(run) < 2:
        return alone
    work: dict[str, float] = {}
    for node in run:
        layer = node.layer
        cycles = whole_cycles(machine, layer)
        if layer.kind == "copy":
            cycles = layer.output.byte_size / machine.ddr_bytes_per_cycle
        engine = engine_of(machine, layer)
        work[engine] = work.get(engine, 0.0) + cycles
    turns = min(MAX_TURNS, int(max(work.values()) / TURN_CYCLES))
    if turns < 2:
        return alone
    return [_Group(tuple(run), stripe(machine, run, homes, turns))]


class _Placer:
    """Gives every group its memory, in the order of time."""

    def __init__(
        self,
        machine: Machine,
        specs: Sequence[TensorSpec],
        onchip: Collection[int],
        homes: Mapping[int, Home],
        groups: Sequence[_Group],
    ) -> None:
        self.machine = machine
        self.specs = specs
        self.onchip = onchip
        self.homes = homes
        self.groups = groups
        self.arena = Arena(machine.memory.l1_bytes)
        self.first: dict[int, int] = {}
        self.last: dict[int, int] = {}
        self.rows: dict[int, int] = {}
        self.offsets: dict[int, int] = {}
        for number, group in enumerate(groups):
            for node in group.nodes:
                for value in (*(o.tensor for o in node.operands), node.output):
                    if value is not None and value in onchip:
                        root = self._root(value)
                        self.first.setdefault(root, number)
                        self.last[root] = number
            if group.striped is not None:
                for value, rows in group.striped.ring_rows.items():
                    self.rows.setdefault(self._root(value), rows)

    def _root(self, value: int) -> int:
        return self.homes[value].root if value in self.homes else value

    def run(self) -> tuple[list[PlannedLayer], dict[int, OnchipPlace]] | None:
        """The layers with their areas, and where tensors lie; None where something doesn't fit."""
        born: list[list[int]] = [[] for _ in self.groups]
        for root, first in self.first.items():
            born[first].append(root)
        layers: list[PlannedLayer] = []
        for number, group in enumerate(self.groups):
            for root in sorted(born[number], key=lambda r: (-self._size(r), r)):
                until = float(self.last[root] + 1)
                offset = self.arena.take_tight(self._size(root), number, until)
                if offset is None:
                    return None
                self.offsets[root] = offset
            placed = self._group(number, group)
            if placed is None:
                return None
            layers += placed
        return layers, self._places()

    def _ring_rows(self, root: int) -> int:
        return self.rows.get(root, 0) if self.first[root] == self.last[root] else 0

    def _size(self, root: int) -> int:
        return ring_bytes(self.machine, self.specs[root], self._ring_rows(root))

    def _places(self) -> dict[int, OnchipPlace]:
        places: dict[int, OnchipPlace] = {}
        lanes = self.machine.memory.channel_align_bytes
        for root, offset in self.offsets.items():
            places[root] = OnchipPlace(offset, self._size(root), self._ring_rows(root))
        for value, home in self.homes.items():
            if home.root not in self.offsets:
                continue
            owner = self.specs[home.root]
            rows = self._ring_rows(home.root)
            shape = (owner.shape[0], rows, *owner.shape[2:]) if rows else owner.shape
            strides = padded_strides(shape, owner.itemsize, lanes)
            start = sum(n * s for n, s in zip(home.origin, strides, strict=True))
            size = self._size(home.root) - start
            places[value] = OnchipPlace(self.offsets[home.root] + start, size, rows, strides)
        return places

    # ----------------------------------------------------------------- areas

    def _group(self, number: int, group: _Group) -> list[PlannedLayer] | None:
        layers: list[PlannedLayer] = []
        for place, node in enumerate(group.nodes):
            resident = resident_of(node, self.onchip)
            if group.striped is not None:
                tiling = group.striped.tilings[place]
                placed = self._areas(node, tiling, resident, number)
            else:
                placed = self._alone(node, resident, number)
            if placed is None:
                return None
            layers.append(PlannedLayer(node, number, *placed))
        return layers

    def _alone(
        self, node: Node, resident: frozenset[int], number: int
    ) -> tuple[Tiling, tuple[Area, ...], tuple[tuple[int, ...], ...]] | None:
        layer, now = node.layer, float(number)
        if not resident_layer(layer, resident):
            free = self.arena.free_bytes(now)
            tiling = streamed_tiling(self.machine, layer, resident, free)
            return self._areas(node, tiling, resident, number)
        total = constant_bytes(self.machine, layer)
        slab = max(SLAB_BYTES, min(self.arena.free_bytes(now) // 4, self.arena.largest_hole(now)))
        while slab >= SLAB_BYTES // 8:
            tiling = slab_tiling(self.machine, layer, slab)
            if tiling.tile == whole_tiling(layer).tile or slab <= self.arena.free_bytes(now) // 2:
                count = -(-total // slab)
                buffers = max(1, min(count, self.arena.free_bytes(now) // max(slab, 1)))
                for tried in range(buffers, min(buffers, 2) - 1, -1):
                    placed = self._areas(node, replace(tiling, buffers=tried), resident, number)
                    if placed is not None:
                        return placed
            slab //= 2
        tiling = streamed_tiling(self.machine, layer, resident, self.arena.free_bytes(now))
        return self._areas(node, tiling, resident, number)

    def _areas(
        self, node: Node, tiling: Tiling, resident: frozenset[int], number: int
    ) -> tuple[Tiling, tuple[Area, ...], tuple[tuple[int, ...], ...]] | None:
        """Offsets of all buffers of a layer's areas; None, and nothing taken, where they don't fit.

        The constants of a tile lie side by side: they are loaded at once.
        """
        layer = node.layer
        needed = areas(self.machine, layer, tiling.largest_tile, tiling.buffers, resident)
        offsets: list[list[int]] = [[] for _ in needed]
        constant = [
            i for i, a in enumerate(needed) if a.operand >= 0 and layer.inputs[a.operand].constant
        ]
        saved = self.arena.copy()
        most = max((needed[i].buffers for i in constant), default=0)
        for buffer in range(most):
            chunk = [i for i in constant if needed[i].buffers > buffer]
            size = sum(needed[i].bytes_per_buffer for i in chunk)
            until = number + (buffer + 1) / most
            start = self.arena.take_oldest(size, float(number), until)
            if start is None:
                self.arena = saved
                return None
            for i in chunk:
                offsets[i].append(start)
                start += needed[i].bytes_per_buffer
        for i, area in enumerate(needed):
            if i in constant:
                continue
            for _ in range(area.buffers):
                start = self.arena.take_oldest(area.bytes_per_buffer, float(number), number + 1.0)
                if start is None:
                    self.arena = saved
                    return None
                offsets[i].append(start)
        return tiling, needed, tuple(tuple(column) for column in offsets)
