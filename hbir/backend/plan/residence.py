"""When each tensor is on chip: its stays, and what is stored to DDR and loaded again.

At first every tensor stays on chip from its producer to its last reader. Where that is too much, a
tensor that waits long for its next reader is spilled: stored, and loaded again. What is then still
too much is for stripes to solve.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from dataclasses import dataclass, replace

from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.march import Machine
from hbir.backend.plan.network import (
    Network,
    Node,
    Operand,
    constant_bytes,
    onchip_bytes,
    views_on_chip,
)

NEAR = 12
"""Layers over which a tensor is rather kept than spilled, and a concat's operand kept in place."""

WORKING_BYTES = 128 * 1024
"""What a layer needs of its constants at once: the rest can follow in slabs."""


@dataclass(frozen=True)
class Stay:
    """A tensor is on chip from layer `first` to `last`, both included; `loaded` before `first`, or
    made by it."""

    tensor: int
    first: int
    last: int
    loaded: bool
    value: int
    """The number of the tensor on chip: copies have numbers of their own."""


class Residence:
    """The stays of all tensors of a network, and the copies that they need."""

    def __init__(self, machine: Machine, network: Network) -> None:
        self.machine = machine
        self.network = network
        self.specs: list[TensorSpec] = list(network.tensors)
        self.stored: set[int] = set(network.kept)
        self.stays: dict[int, list[Stay]] = {}
        self.sizes = [onchip_bytes(machine, spec) for spec in network.tensors]
        self.onchip: set[int] = set()
        """Numbers of all tensors on chip."""
        self._in_ddr: dict[int, int] = {}
        self._readers = [self._chip_readers(t) for t in range(len(network.tensors))]
        quarter = machine.memory.l1_bytes // 4
        for tensor, readers in enumerate(self._readers):
            producer = network.producer.get(tensor)
            if producer is not None:
                last = max([producer, *readers])
                self.stays[tensor] = [Stay(tensor, producer, last, False, tensor)]
                self.onchip.add(tensor)
                continue
            self.stored.add(tensor)
            if self.sizes[tensor] <= quarter:
                self._load(tensor, readers)

    def _chip_readers(self, tensor: int) -> list[int]:
        """Layers that can read a tensor on chip; the others make it go through DDR."""
        result: list[int] = []
        spec = self.network.tensors[tensor]
        for reader in self.network.readers[tensor]:
            node = self.network.nodes[reader]
            views = [
                layer_spec.shape
                for operand, layer_spec in zip(node.operands, node.layer.inputs, strict=True)
                if operand.tensor == tensor and operand.is_view
            ]
            if all(views_on_chip(self.machine, spec, shape) for shape in views):
                result.append(reader)
            else:
                self.stored.add(tensor)
        return result

    def _load(self, tensor: int, readers: list[int]) -> None:
        """Stays of a tensor in DDR: one for each run of readers near each other."""
        stays = self.stays.setdefault(tensor, [])
        first = 0
        for place, reader in enumerate(readers):
            if place + 1 == len(readers) or readers[place + 1] - reader > NEAR:
                stays.append(self._loaded(tensor, readers[first], reader))
                first = place + 1

    def _loaded(self, tensor: int, first: int, last: int) -> Stay:
        value = len(self.specs)
        self.specs.append(self.network.tensors[tensor])
        self.onchip.add(value)
        return Stay(tensor, first, last, True, value)

    # ----------------------------------------------------------------- memory

    def needs(self) -> list[int]:
        """By layer: bytes of all tensors on chip beside it, and what it works with."""
        count = len(self.network.nodes)
        change = [0] * (count + 1)
        for stays in self.stays.values():
            for stay in stays:
                change[stay.first] += self.sizes[stay.tensor]
                change[stay.last + 1] -= self.sizes[stay.tensor]
        level = 0
        result: list[int] = []
        for number, node in enumerate(self.network.nodes):
            level += change[number]
            work = min(constant_bytes(self.machine, node.layer), WORKING_BYTES)
            result.append(level + work)
        return result

    def spill(self, budget: int) -> None:
        """Where more than `budget` bytes are needed, end stays that wait long for a reader."""
        needs = self.needs()
        gaps = sorted(self._gaps())
        active: list[tuple[int, int, int]] = []
        relief = [0] * (len(needs) + 1)
        level, at = 0, 0
        for number, need in enumerate(needs):
            level -= relief[number]
            while at < len(gaps) and gaps[at][0] < number:
                active.append(gaps[at])
                at += 1
            active = [gap for gap in active if gap[1] > number]
            if need - level <= budget:
                continue
            active.sort(key=lambda gap: (-self.sizes[gap[2]], gap))
            while active and need - level > budget:
                _, after, tensor = active.pop(0)
                self.cut(tensor, after)
                level += self.sizes[tensor]
                relief[after] += self.sizes[tensor]

    def _gaps(self) -> list[tuple[int, int, int]]:
        """(use, next use, tensor) of waits longer than NEAR."""
        result: list[tuple[int, int, int]] = []
        for tensor, stays in self.stays.items():
            for stay in stays:
                readers = self._readers[tensor]
                uses = [stay.first, *(r for r in readers if stay.first < r <= stay.last)]
                result += [(a, b, tensor) for a, b in itertools.pairwise(uses) if b - a > NEAR]
        return result

    def touched(self, first: int, last: int) -> list[int]:
        """Tensors that layers `first` to `last` - 1 make or read."""
        tensors: dict[int, None] = {}
        for node in self.network.nodes[first:last]:
            for operand in node.operands:
                if operand.tensor is not None:
                    tensors[operand.tensor] = None
            tensors[node.output] = None
        return list(tensors)

    # ----------------------------------------------------------------- changes

    def cut(self, tensor: int, at: int, reload: bool = True) -> None:
        """End the stay of a tensor that reaches layer `at` before it; it is loaded again there.

        reload: otherwise its readers from there on read it from DDR, tile by tile.
        """
        stays = self.stays.get(tensor, [])
        place = bisect_left([stay.last for stay in stays], at)
        if place == len(stays) or stays[place].first >= at:
            return
        stay = stays.pop(place)
        readers = [r for r in self._readers[tensor] if stay.first <= r <= stay.last]
        before = [r for r in readers if r < at]
        after = [r for r in readers if r >= at]
        self.stored.add(tensor)
        kept = [replace(stay, last=max([stay.first, *before]))]
        if stay.loaded and not before:
            self.onchip.discard(stay.value)
            kept = []
        if after and reload:
            kept.append(self._loaded(tensor, after[0], after[-1]))
        stays[place:place] = kept

    def drop(self, tensor: int, at: int) -> None:
        """Layer `at` makes or reads a tensor in DDR, tile by tile."""
        self.cut(tensor, at)
        stays = self.stays.get(tensor, [])
        for place, stay in enumerate(stays):
            if stay.first != at:
                continue
            readers = [r for r in self._readers[tensor] if at < r <= stay.last]
            self.stored.add(tensor)
            self.onchip.discard(stay.value)
            stays[place : place + 1] = []
            if readers:
                stays.insert(place, self._loaded(tensor, readers[0], readers[-1]))
            return

    # ----------------------------------------------------------------- expansion

    def stay_at(self, tensor: int, number: int) -> Stay | None:
        """The stay that covers a layer; None when the tensor is in DDR then."""
        for stay in self.stays.get(tensor, ()):
            if stay.first <= number <= stay.last:
                return stay
        return None

    def ddr_value(self, tensor: int) -> int:
        """The number of a tensor in DDR: its own, or that of the copy that is stored."""
        producer = self.network.producer.get(tensor)
        if producer is None:
            return tensor
        stay = self.stay_at(tensor, producer)
        if stay is None or stay.loaded:
            return tensor
        if tensor not in self._in_ddr:
            self._in_ddr[tensor] = len(self.specs)
            self.specs.append(self.network.tensors[tensor])
        return self._in_ddr[tensor]

    def expand(self, number: int) -> list[Node]:
        """A layer with the copies before and behind it."""
        node = self.network.nodes[number]
        nodes: list[Node] = []
        operands: list[Operand] = []
        loaded: set[int] = set()
        for operand in node.operands:
            tensor = operand.tensor
            if tensor is None:
                operands.append(operand)
                continue
            stay = self.stay_at(tensor, number)
            if stay is None or number not in self._readers[tensor]:
                operands.append(replace(operand, tensor=self.ddr_value(tensor)))
                continue
            operands.append(replace(operand, tensor=stay.value))
            if stay.loaded and stay.first == number and stay.value not in loaded:
                loaded.add(stay.value)
                nodes.append(self._copy(self.ddr_value(tensor), stay.value, "load"))
        nodes.append(replace(node, operands=tuple(operands), source=number))
        stay = self.stay_at(node.output, number)
        if stay is not None and not stay.loaded and node.output in self.stored:
            nodes.append(self._copy(stay.value, self.ddr_value(node.output), "store"))
        return nodes

    def _copy(self, source: int, target: int, name: str) -> Node:
        spec = self.specs[source]
        layer = Layer("copy", (spec,), spec, {}, name)
        return Node(layer, (Operand(source),), target)
