"""A graph's steps in order: layers become function calls, CPU calls split them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from hbir.backend.codegen.addresses import AddressMap
from hbir.backend.codegen.emit_compute import ComputeRun
from hbir.backend.codegen.emit_move import MoveRun
from hbir.backend.codegen.layer_run import LayerEmitter, LayerRun, ScheduledLayer, layer_grid
from hbir.backend.codegen.queues import Queues
from hbir.backend.codegen.tensors import Buffer, Constant, MemoryTensor, Source
from hbir.backend.interleave import interleave, member, row_indices
from hbir.backend.isa.builder import GraphBuilder, ProgramBuilder
from hbir.backend.isa.descriptor import TensorDescriptor, dense
from hbir.backend.isa.enums import DType, Space
from hbir.backend.isa.program import NO_VALUE
from hbir.backend.march import Machine
from hbir.backend.tile_grid import TileGrid


@dataclass(frozen=True)
class CpuStep:
    """A call of the CPU between BPU segments."""

    signature: str
    parameters: Mapping[str, Any]
    inputs: tuple[Source, ...]
    outputs: tuple[MemoryTensor, ...]
    number: int
    reason: str = ""


@dataclass(frozen=True)
class GroupStep:
    """Layers whose row tiles are computed in turns. call: the function call that it is part of."""

    layers: tuple[ScheduledLayer, ...]
    call: int = 0


Step = GroupStep | CpuStep


class GraphEmitter:
    """Writes the steps of one graph into a program."""

    def __init__(
        self, machine: Machine, program: ProgramBuilder, graph: GraphBuilder, cores: int = 1
    ) -> None:
        self._machine = machine
        self._cores = cores
        self._program = program
        self._graph = graph
        self._addresses: dict[Space, AddressMap] = {}
        self._touched: list[Buffer] = []

    def emit(self, steps: Sequence[Step]) -> None:
        """Append all steps. Groups of one function call share it; CPU calls end it."""
        for key, run in groupby(steps, _call_of):
            if key is None:
                for step in run:
                    assert isinstance(step, CpuStep)
                    self._cpu(step)
                continue
            self._call([step for step in run if isinstance(step, GroupStep)])

    def _call(self, groups: Sequence[GroupStep]) -> None:
        """Function calls run one after the other: no token or on-chip byte outlives one."""
        queues = Queues(self._graph.function_call(), self._cores)
        emitters = [
            LayerEmitter(self._machine, self._program, queues, self._graph, core)
            for core in range(self._cores)
        ]
        self._addresses = {Space.L1: emitters[0].onchip}
        for group in groups:
            self._group(emitters, group)
        for buffer in self._touched:
            buffer.reset()
        self._touched = []

    def _group(self, emitters: Sequence[LayerEmitter], group: GroupStep) -> None:
        for step in group.layers:
            for source in step.inputs:
                if isinstance(source, MemoryTensor):
                    self._touch(source.buffer)
            self._touch(step.output.buffer)
        grids = [layer_grid(step) for step in group.layers]
        if group.layers[0].core_axis is not None:
            _share(emitters, group.layers[0], grids[0])
            return
        runs = [
            _layer_run(emitters[0], step, grid)
            for step, grid in zip(group.layers, grids, strict=True)
        ]
        if len(runs) == 1:
            runs[0].run(grids[0].indices(group.layers[0].tiling.order))
            return
        orders = [step.tiling.order for step in group.layers]
        members = [
            member(grid, order[0], *_producers(step, orders))
            for step, grid, order in zip(group.layers, grids, orders, strict=True)
        ]
        for number, row in interleave(members):
            runs[number].run(row_indices(grids[number], orders[number], row))

    def _touch(self, buffer: Buffer) -> None:
        """Make a buffer the owner of its bytes in this call, if it isn't yet."""
        if buffer.holder is not None:
            return
        owners = AddressMap()  # inputs and outputs are memories of their own
        if buffer.space not in (Space.INPUT, Space.OUTPUT):
            owners = self._addresses.setdefault(buffer.space, owners)
        buffer.holder = owners.take(buffer.base, buffer.base + buffer.size_bytes)
        self._touched.append(buffer)

    def _cpu(self, step: CpuStep) -> None:
        self._graph.cpu_call(
            step.signature,
            step.parameters,
            [self._operand(source) for source in step.inputs],
            [self._operand(tensor) for tensor in step.outputs],
            step.number,
            step.reason,
            [NO_VALUE if t.value is None else t.value for t in step.outputs],
        )

    def _operand(self, source: Source) -> TensorDescriptor:
        if isinstance(source, Constant):
            offset = self._program.constant(source.array)
            dtype = DType.of(source.array.dtype)
            return dense(Space.CONSTANT, offset, dtype, source.array.shape)
        return source.descriptor(tuple((0, extent) for extent in source.shape))


def _layer_run(emitter: LayerEmitter, step: ScheduledLayer, grid: TileGrid) -> LayerRun:
    kind = MoveRun if step.layer.moves_only else ComputeRun
    return kind(emitter, step, grid)


def _share(emitters: Sequence[LayerEmitter], step: ScheduledLayer, grid: TileGrid) -> None:
    """Write a layer whose tiles the cores share, each a run of neighbours along the core axis."""
    axis = step.core_axis
    assert axis is not None
    for core, emitter in enumerate(emitters):
        indices = [
            index
            for index in grid.indices(step.tiling.order)
            if index[axis] * len(emitters) // grid.counts[axis] == core
        ]
        if indices:
            _layer_run(emitter, step, grid).run(iter(indices))


def _call_of(step: Step) -> int | None:
    return step.call if isinstance(step, GroupStep) else None


def _producers(
    step: ScheduledLayer, orders: Sequence[tuple[int, ...]]
) -> tuple[list[tuple[int, int] | None], frozenset[int]]:
    """By operand (place in the group, row axis) of its producer; operands read as views."""
    producers = [None if p is None else (p, orders[p][0]) for p in step.producers]
    views = {
        operand
        for operand, source in enumerate(step.inputs)
        if isinstance(source, MemoryTensor) and source.is_view
    }
    return producers, frozenset(views)
