"""Groups and addresses: a planned network's layers with their tiles, one group after the other.

Layers on engines that can work side by side become a group of several row tiles even where their
tensors fit whole, so that one works on the rows that the other has made. Then each group takes its
memory: tensors tightly, constants where the bytes have been free the longest, in as many slabs as
there is room for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hbir.backend.isa.descriptor import padded_strides
from hbir.backend.layer import TensorSpec
from hbir.backend.march import Machine
from hbir.backend.memory import Allocation, LiveRange, allocate
from hbir.backend.plan.arena import Arena
from hbir.backend.plan.homes import Home, find_homes, is_in_place
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
)
from hbir.backend.tiling import Area, Tiling, areas, resident_slots

TURN_CYCLES = 3000
"""Cycles of the busiest engine per row tile where layers take turns for the engines' sake."""
MAX_TURNS = 8
MAX_RUN = 16
"""Most layers that take turns for the engines' sake."""


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
class Range:
    """Layers `first` to `last` - 1, planned together. stripes, aligned: as `stripes.stripe` takes
    them; 1 where each layer is computed as a whole."""

    first: int
    last: int
    stripes: int = 1
    aligned: bool = True


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
    ranges: Sequence[Range],
) -> Plan | None:
    """The plan of ranges of layers; None where it doesn't fit."""
    onchip = residence.onchip
    ranged = [
        (tuple(n for number in range(r.first, r.last) for n in residence.expand(number)), r)
        for r in ranges
    ]
    everything = [node for nodes, _ in ranged for node in nodes]
    homes = find_homes(machine, everything, residence.specs, onchip, NEAR)
    groups: list[_Group] = []
    singles: list[Node] = []
    for nodes, cut in ranged:
        if cut.stripes == 1:
            singles += nodes
            continue
        groups += _take_turns(machine, singles, homes, onchip)
        singles = []
        groups.append(_Group(nodes, stripe(machine, nodes, homes, cut.stripes, cut.aligned)))
    groups += _take_turns(machine, singles, homes, onchip)
    layers = _Placer(machine, residence.specs, onchip, homes, groups).run()
    if layers is None:
        return None
    placed, places = layers
    kept = {tensor: residence.ddr_value(tensor) for tensor in network.kept}
    return Plan(tuple(placed), tuple(residence.specs), places, kept)


def _take_turns(
    machine: Machine, nodes: Sequence[Node], homes: Mapping[int, Home], onchip: Collection[int]
) -> list[_Group]:
    """Neighbouring layers whose engines can work side by side, as groups; the others alone."""
    groups: list[_Group] = []
    run: list[Node] = []
    for node in nodes:
        if run and _joins(machine, run, node, homes, onchip):
            run.append(node)
            continue
        groups += _turns(machine, run, homes)
        run = [node]
    return groups + _turns(machine, run, homes)


def _joins(
    machine: Machine,
    run: Sequence[Node],
    node: Node,
    homes: Mapping[int, Home],
    onchip: Collection[int],
) -> bool:
    """Whether a layer can work on rows that a layer before it, on another engine, has made."""
    if node.output not in onchip or len(run) >= MAX_RUN or is_in_place(node, homes):
        return False
    if max(constant_bytes(machine, n.layer) for n in (run[0], node)) > WORKING_BYTES:
        return False
    mine = engine_of(machine, node.layer)
    made = {n.output: n for n in run}
    producers = [made[o.tensor] for o in node.operands if o.tensor in made]
    return any(overlap(machine, engine_of(machine, p.layer), mine) for p in producers)


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
    hidden = sum(work.values()) - max(work.values())
    turns = min(MAX_TURNS, int(max(work.values()) / TURN_CYCLES))
    if turns < 2 or hidden < TURN_CYCLES / 2:
        return alone
    return [_Group(tuple(run), stripe(machine, run, homes, turns, aligned=True))]


@dataclass(frozen=True)
class _Chosen:
    """The tiles of a layer and its areas. `slabs`: its constants may be cut further."""

    tiling: Tiling
    areas: tuple[Area, ...]
    resident: frozenset[int]
    slabs: bool


def _tensors_of(group: _Group) -> Iterator[int]:
    """What the layers of a group read and make, in their order."""
    for node in group.nodes:
        yield from (operand.tensor for operand in node.operands if operand.tensor is not None)
        yield node.output


class _Placer:
    """Gives every group its memory: tensors first, all at once; then constants in order of time."""

    def __init__(
        self,
        machine: Machine,
        specs: Sequence[TensorSpec],
        onchip: Collection[int],
        homes: Mapping[int, Home],
        groups: Sequence[_Group],
    ) -> None:
        self.machine = machine
        self.l1_bytes = machine.memory.l1_bytes
        self.unit = machine.memory.base_align_bytes
        self.specs = specs
        self.onchip = onchip
        self.homes = homes
        self.groups = groups
        self.arena = Arena(self.l1_bytes)
        self.span: dict[int, tuple[int, int]] = {}
        """Tensor that owns memory → the first and the last group that touch it."""
        self.rows: dict[int, int] = {}
        for number, group in enumerate(groups):
            for value in _tensors_of(group):
                if value in onchip:
                    root = self._root(value)
                    self.span[root] = (self.span.get(root, (number, 0))[0], number)
            if group.striped is not None:
                for value, rows in group.striped.ring_rows.items():
                    self.rows.setdefault(self._root(value), rows)

    def _root(self, value: int) -> int:
        return self.homes[value].root if value in self.homes else value

    def _ring_rows(self, root: int) -> int:
        first, last = self.span[root]
        return self.rows.get(root, 0) if first == last else 0

    def _size(self, root: int) -> int:
        return ring_bytes(self.machine, self.specs[root], self._ring_rows(root))

    def run(self) -> tuple[list[PlannedLayer], dict[int, OnchipPlace]] | None:
        """The layers with their areas, and where tensors lie; None where something doesn't fit."""
        live = [0] * (len(self.groups) + 1)
        for root, (first, last) in self.span.items():
            live[first] += self._size(root)
            live[last + 1] -= self._size(root)
        chosen: list[list[_Chosen]] = []
        level = 0
        for number, group in enumerate(self.groups):
            level += live[number]
            found = self._choose(group, self.l1_bytes - level)
            if found is None:
                return None
            chosen.append(found)
        owners, allocation = self._allocate(chosen)
        if allocation.total_bytes > self.l1_bytes:
            return None
        offsets = dict(zip(owners, allocation.offsets, strict=True))
        layers: list[PlannedLayer] = []
        born: list[list[int]] = [[] for _ in self.groups]
        for root, (first, _) in self.span.items():
            born[first].append(root)
        for number, group in enumerate(self.groups):
            for root in born[number]:
                until = float(self.span[root][1] + 1)
                self.arena.take(offsets[root, -1, 0], self._size(root), until)
            placed = self._group(number, group, chosen[number], offsets)
            if placed is None:
                return None
            layers += placed
        return layers, self._places({r: offsets[r, -1, 0] for r in self.span})

    def _places(self, offsets: Mapping[int, int]) -> dict[int, OnchipPlace]:
        places: dict[int, OnchipPlace] = {}
        lanes = self.machine.memory.channel_align_bytes
        for root, offset in offsets.items():
            places[root] = OnchipPlace(offset, self._size(root), self._ring_rows(root))
        for value, home in self.homes.items():
            if home.root not in offsets:
                continue
            owner = self.specs[home.root]
            rows = self._ring_rows(home.root)
            shape = (owner.shape[0], rows, *owner.shape[2:]) if rows else owner.shape
            strides = padded_strides(shape, owner.itemsize, lanes)
            start = sum(n * s for n, s in zip(home.origin, strides, strict=True))
            size = self._size(home.root) - start
            places[value] = OnchipPlace(offsets[home.root] + start, size, rows, strides)
        return places

    # ----------------------------------------------------------------- tiles and areas

    def _choose(self, group: _Group, free: int) -> list[_Chosen] | None:
        """The tiles of a group's layers, beside which `free` bytes are free."""
        result: list[_Chosen] = []
        for place, node in enumerate(group.nodes):
            resident = resident_of(node, self.onchip)
            slabs = False
            if group.striped is not None:
                tiling = group.striped.tilings[place]
            elif resident_layer(node.layer, resident):
                tiling = slab_tiling(
                    self.machine, node.layer, max(self.unit, min(free, SLAB_BYTES))
                )
                slabs = True
            else:
                tiling = streamed_tiling(self.machine, node.layer, resident, free)
            needed = areas(self.machine, node.layer, tiling.largest_tile, tiling.buffers, resident)
            if slabs and sum(area.size_bytes for area in needed) > free:
                tiling = streamed_tiling(self.machine, node.layer, resident, free)
                needed = areas(
                    self.machine, node.layer, tiling.largest_tile, tiling.buffers, resident
                )
                slabs = False
            result.append(_Chosen(tiling, needed, resident, slabs))
        return result

    def _allocate(
        self, chosen: Sequence[Sequence[_Chosen]]
    ) -> tuple[list[tuple[int, int, int]], Allocation]:
        """Offsets of tensors (tensor, -1, 0) and of areas (group, layer, chunk or -area-1)."""
        owners: list[tuple[int, int, int]] = []
        ranges: list[LiveRange] = []
        for root, (first, last) in self.span.items():
            owners.append((root, -1, 0))
            ranges.append(LiveRange(self._size(root), first, last))
        for number, layers in enumerate(chosen):
            for place, layer in enumerate(layers):
                node = self.groups[number].nodes[place]
                for chunk, size in enumerate(_chunks(node, layer.areas)):
                    owners.append((number, place, chunk))
                    ranges.append(LiveRange(size, number, number))
                for at, area in enumerate(layer.areas):
                    if not _is_constant(node, area):
                        owners.append((number, place, -at - 1))
                        ranges.append(LiveRange(area.size_bytes, number, number))
        return owners, allocate(ranges, self.unit, self.l1_bytes)

    def _group(
        self,
        number: int,
        group: _Group,
        chosen: Sequence[_Chosen],
        offsets: Mapping[tuple[int, int, int], int],
    ) -> list[PlannedLayer] | None:
        # What isn't loaded ahead first: constants then take what is left.
        for place, layer in enumerate(chosen):
            for at, area in enumerate(layer.areas):
                if not _is_constant(group.nodes[place], area):
                    offset = offsets[number, place, -at - 1]
                    self.arena.take(offset, area.size_bytes, number + 1.0)
        saved = self.arena.copy()
        constants = self._ahead(number, group, chosen)
        if constants is None:
            self.arena = saved
            constants = [
                (c.tiling, c.areas, self._reserved(group.nodes[at], c.areas, (number, at), offsets))
                for at, c in enumerate(chosen)
            ]
        layers: list[PlannedLayer] = []
        for place, node in enumerate(group.nodes):
            tiling, needed, starts = constants[place]
            columns: list[tuple[int, ...]] = []
            for at, area in enumerate(needed):
                if _is_constant(node, area):
                    columns.append(starts[at])
                    continue
                start = offsets[number, place, -at - 1]
                columns.append(
                    tuple(start + i * area.bytes_per_buffer for i in range(area.buffers))
                )
            layers.append(PlannedLayer(node, number, tiling, needed, tuple(columns)))
        return layers

    def _ahead(
        self, number: int, group: _Group, chosen: Sequence[_Chosen]
    ) -> list[tuple[Tiling, tuple[Area, ...], list[tuple[int, ...]]]] | None:
        """Per layer its tiles, areas and constants where they can be loaded ahead; None for no
        room."""
        result: list[tuple[Tiling, tuple[Area, ...], list[tuple[int, ...]]]] = []
        for node, layer in zip(group.nodes, chosen, strict=True):
            found = self._slabs(node, layer, number) if layer.slabs else None
            if found is None:
                starts = self._constants(node, layer.areas, number)
                if starts is None:
                    return None
                found = layer.tiling, layer.areas, starts
            result.append(found)
        return result

    def _slabs(
        self, node: Node, layer: _Chosen, number: int
    ) -> tuple[Tiling, tuple[Area, ...], list[tuple[int, ...]]] | None:
        """The constants of a layer in as many slabs as there is room for."""
        now = float(number)
        free, hole = self.arena.free_bytes(now), self.arena.largest_hole(now)
        slab = max(SLAB_BYTES, min(free // 4, hole))
        while slab >= SLAB_BYTES // 8:
            tiling = slab_tiling(self.machine, node.layer, slab)
            count = -(-constant_bytes(self.machine, node.layer) // slab)
            buffers = max(1, min(count, free // slab))
            for tried in range(buffers, min(buffers, 2) - 1, -1):
                tiling = replace(tiling, buffers=tried)
                needed = areas(self.machine, node.layer, tiling.largest_tile, tried, layer.resident)
                starts = self._constants(node, needed, number)
                if starts is not None:
                    return tiling, needed, starts
            slab //= 2
        return None

    def _constants(
        self, node: Node, needed: Sequence[Area], number: int
    ) -> list[tuple[int, ...]] | None:
        """Offsets of the constants' buffers, by area, where memory has been free the longest.

        The constants of a tile lie side by side: they are loaded at once. None, and nothing taken,
        where they don't fit.
        """
        offsets: list[list[int]] = [[] for _ in needed]
        saved = self.arena.copy()
        chunks = _chunks(node, needed)
        for buffer, size in enumerate(chunks):
            until = number + (buffer + 1) / len(chunks)
            start = self.arena.take_oldest(size, float(number), until)
            if start is None:
                self.arena = saved
                return None
            _fill(node, needed, buffer, start, offsets)
        return [tuple(column) for column in offsets]

    def _reserved(
        self,
        node: Node,
        needed: Sequence[Area],
        place: tuple[int, int],
        offsets: Mapping[tuple[int, int, int], int],
    ) -> list[tuple[int, ...]]:
        """The constants where room was kept for them."""
        result: list[list[int]] = [[] for _ in needed]
        for buffer, size in enumerate(_chunks(node, needed)):
            start = offsets[(*place, buffer)]
            self.arena.take(start, size, place[0] + 1.0)
            _fill(node, needed, buffer, start, result)
        return [tuple(column) for column in result]


def _is_constant(node: Node, area: Area) -> bool:
    return area.operand >= 0 and node.layer.inputs[area.operand].constant


def _chunks(node: Node, needed: Sequence[Area]) -> list[int]:
    """By buffer, the bytes of all constants that are loaded into it at once."""
    constants = [area for area in needed if _is_constant(node, area)]
    most = max((area.buffers for area in constants), default=0)
    return [
        sum(area.bytes_per_buffer for area in constants if area.buffers > buffer)
        for buffer in range(most)
    ]


def _fill(
    node: Node, needed: Sequence[Area], buffer: int, start: int, offsets: list[list[int]]
) -> None:
    """Note the places of a chunk's constants, side by side from `start`."""
    for at, area in enumerate(needed):
        if _is_constant(node, area) and area.buffers > buffer:
            offsets[at].append(start)
            start += area.bytes_per_buffer
