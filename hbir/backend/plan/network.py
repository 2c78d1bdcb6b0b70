"""Layers and the tensors between them: what the planner sees of one function call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.march import Machine
from hbir.backend.memory import align
from hbir.backend.regions import layer_regions
from hbir.backend.tile_grid_cost import GridCost


@dataclass(frozen=True)
class Operand:
    """A layer's operand. tensor: its number; None for a constant, and for what the layer's own
    instruction reads in DDR; is_view: under another shape."""

    tensor: int | None
    is_view: bool = False


@dataclass(frozen=True)
class Node:
    """A layer, its operands and the tensor that it makes.

    source: the number of the layer in the network that was planned for; None for a copy that the
    planner put in.
    """

    layer: Layer
    operands: tuple[Operand, ...]
    output: int
    source: int | None = None


@dataclass(frozen=True, eq=False)
class Network:
    """Layers in the order in which they run.

    kept: tensors that must be in DDR at the end. Tensors that no layer makes are in DDR from the
    start.
    """

    nodes: tuple[Node, ...]
    tensors: tuple[TensorSpec, ...]
    kept: frozenset[int] = field(default_factory=frozenset[int])

    @cached_property
    def producer(self) -> dict[int, int]:
        """Tensor → the layer that makes it."""
        return {node.output: number for number, node in enumerate(self.nodes)}

    @cached_property
    def readers(self) -> list[list[int]]:
        """By tensor, the layers that read it, in order."""
        readers: list[list[int]] = [[] for _ in self.tensors]
        for number, node in enumerate(self.nodes):
            for operand in node.operands:
                if operand.tensor is not None and readers[operand.tensor][-1:] != [number]:
                    readers[operand.tensor].append(number)
        return readers


def onchip_bytes(machine: Machine, spec: TensorSpec) -> int:
    """Bytes of a whole tensor on chip, its channels padded to the lanes."""
    return align(padded_bytes(machine, spec.shape, spec.itemsize), machine.memory.base_align_bytes)


def padded_bytes(machine: Machine, shape: Sequence[int], itemsize: int) -> int:
    """Bytes of a tile on chip, its channels padded to the lanes."""
    if not shape:
        return itemsize
    total = align(shape[-1] * itemsize, machine.memory.channel_align_bytes)
    for extent in shape[:-1]:
        total *= extent
    return total


def views_on_chip(machine: Machine, spec: TensorSpec, shape: Sequence[int]) -> bool:
    """Whether a tensor on chip can be read under another shape where it lies.

    Either no channels are padded under either shape, or the last axis is the same in both.
    """
    lanes = machine.memory.channel_align_bytes
    if not spec.shape or not shape:
        return False
    if spec.shape[-1] == shape[-1]:
        return True
    return not (spec.shape[-1] * spec.itemsize % lanes or shape[-1] * spec.itemsize % lanes)


def constant_bytes(machine: Machine, layer: Layer) -> int:
    """Bytes of all constants of a layer on chip."""
    unit = machine.memory.base_align_bytes
    return sum(align(spec.byte_size, unit) for spec in layer.inputs if spec.constant)


@lru_cache(maxsize=16384)
def whole_cycles(machine: Machine, layer: Layer) -> float:
    """Cycles of a layer computed by one instruction on whole tensors; 0 for what only moves."""
    if layer.moves_only:
        return 0.0
    grid = GridCost(machine, layer, [(extent,) for extent in layer_regions(layer).extents])
    return float(np.max(grid.compute))


def engine_of(machine: Machine, layer: Layer) -> str:
    """The engine that computes a layer; LOAD for copies, which DDR bounds."""
    return "LOAD" if layer.kind == "copy" else machine.engine_of(layer.opcode)


def overlap(machine: Machine, first: str, second: str) -> bool:
    """Whether two engines of a core can be busy at the same time."""
    return first != second and not any(first in e and second in e for e in machine.exclusive)
