"""A graph's steps in order: layers become function calls, CPU calls split them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hbir.backend.codegen.addresses import AddressMap
from hbir.backend.codegen.emit_layer import LayerEmitter, ScheduledLayer
from hbir.backend.codegen.queues import Queues
from hbir.backend.codegen.tensors import Constant, DdrBuffer, DdrTensor, Source
from hbir.backend.isa.builder import GraphBuilder, ProgramBuilder
from hbir.backend.isa.descriptor import TensorDescriptor, dense
from hbir.backend.isa.enums import DType, Space
from hbir.backend.march import Machine


@dataclass(frozen=True)
class CpuStep:
    """A call of the CPU between BPU segments."""

    signature: str
    parameters: Mapping[str, Any]
    inputs: tuple[Source, ...]
    outputs: tuple[DdrTensor, ...]
    number: int
    reason: str = ""


Step = ScheduledLayer | CpuStep


class GraphEmitter:
    """Writes the steps of one graph into a program."""

    def __init__(self, machine: Machine, program: ProgramBuilder, graph: GraphBuilder) -> None:
        self._machine = machine
        self._program = program
        self._graph = graph
        self._layers: LayerEmitter | None = None
        self._workspace = AddressMap()
        self._touched: list[DdrBuffer] = []

    def emit(self, steps: Sequence[Step]) -> None:
        """Append all steps. Layers between two CPU calls share one function call."""
        for step in steps:
            if isinstance(step, CpuStep):
                self._end_call()
                self._cpu(step)
                continue
            layers = self._open_call()
            for source in step.inputs:
                if isinstance(source, DdrTensor):
                    self._touch(source.buffer)
            self._touch(step.output.buffer)
            layers.emit(step)
        self._end_call()

    def _open_call(self) -> LayerEmitter:
        if self._layers is None:
            queues = Queues(self._graph.function_call())
            self._layers = LayerEmitter(self._machine, self._program, queues)
            self._workspace = AddressMap()
        return self._layers

    def _touch(self, buffer: DdrBuffer) -> None:
        """Make a buffer the owner of its bytes in this call, if it isn't yet."""
        if buffer.holder is not None:
            return
        # Inputs and outputs are memories of their own, so nobody had their bytes before.
        owners = self._workspace if buffer.space is Space.WORKSPACE else AddressMap()
        buffer.holder = owners.take(buffer.base, buffer.base + buffer.size_bytes)
        self._touched.append(buffer)

    def _end_call(self) -> None:
        """Function calls run one after the other: no token or on-chip byte outlives one."""
        self._layers = None
        for buffer in self._touched:
            buffer.reset()
        self._touched = []

    def _cpu(self, step: CpuStep) -> None:
        self._graph.cpu_call(
            step.signature,
            step.parameters,
            [self._operand(source) for source in step.inputs],
            [self._operand(tensor) for tensor in step.outputs],
            step.number,
            step.reason,
        )

    def _operand(self, source: Source) -> TensorDescriptor:
        if isinstance(source, Constant):
            offset = self._program.constant(source.array)
            dtype = DType.of(source.array.dtype)
            return dense(Space.CONSTANT, offset, dtype, source.array.shape)
        return source.descriptor(tuple((0, extent) for extent in source.shape))
