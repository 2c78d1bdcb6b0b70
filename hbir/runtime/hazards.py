"""Data-independent proof that a program is well-defined, whatever order its engines run in.

One pass over a legal order keeps, for every cell of every memory, who wrote it last and which
instruction of each queue read it last. An access is judged by happens-before: queue order and
waits, as vector clocks. Reported as errors: reads of bytes that nothing has written, or that are
padding; accesses to the same bytes that no token orders; addresses outside a memory; writes to
read-only memory; outputs left unwritten; waits that can't be met.

Who touched which bytes is in `access_map`; here is what is judged by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hbir.backend.isa.descriptor import TensorDescriptor
from hbir.backend.isa.enums import Engine, Flag, Space
from hbir.backend.isa.order import QueueGraph, queue_graph, vector_clocks
from hbir.backend.isa.program import (
    ABSENT,
    BpuSegment,
    CpuSegment,
    FunctionCall,
    Graph,
    Program,
    Tensor,
)
from hbir.backend.isa.table import BY_NUMBER, Instruction
from hbir.errors import HbirError
from hbir.runtime.access_map import (
    BEFORE,
    READ_ONLY,
    UNWRITTEN,
    AccessMap,
    access_maps,
    tensor_descriptor,
    whole_inputs,
)
from hbir.runtime.memory import (
    Array,
    memory_key,
    memory_name,
    padding_descriptor,
    straight_pieces,
)

_LATENESS = {Engine.STORE: 1, Engine.LOAD: 2}
"""Engines whose instructions come after the others' that are ready, in the order judged."""


class HazardError(HbirError):
    """A program whose result depends on undefined bytes or on the order of execution."""


def check_graph(program: Program, graph: Graph) -> None:
    """Prove a graph free of hazards. Raises HazardError, AddressError or DeadlockError, which name
    the instruction, its queue and layer, and the bytes. Linear in the bytes that it moves."""
    _Checker(program, graph).run()


@dataclass
class LayerFlow:
    """Which layer reads what, by numbers: of layers, of the graph's inputs and of its outputs."""

    layers: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """(writer, reader); a layer that reads its own sums isn't among them."""
    inputs: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """(input, reader)."""
    outputs: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    """(writer, output)."""


def layer_flow(program: Program, graph: Graph) -> LayerFlow:
    """The data flow between the layers of a graph, from the bytes that they read and write.

    Raises as `check_graph` does.
    """
    checker = _Checker(program, graph)
    checker.flow = LayerFlow()
    checker.run()
    return checker.flow


@dataclass(frozen=True)
class _Accesses:
    """What one instruction reads and writes: (operand name, descriptor)."""

    reads: list[tuple[str, TensorDescriptor]]
    writes: list[tuple[str, TensorDescriptor]]


class _Checker:
    def __init__(self, program: Program, graph: Graph) -> None:
        self.program = program
        self.graph = graph
        self.descriptors = program.decoded_descriptors()
        self.maps = access_maps(program, graph, self.descriptors)
        self.names: list[str] = ["the start of the graph"]
        self.layers: list[int] = [-1]  # by access number, like the names
        self.flow: LayerFlow | None = None
        self.queue_of = np.zeros(1, np.int32)
        self.position_of = np.zeros(1, np.int32)

    def run(self) -> None:
        for port, tensor in whole_inputs(self.graph):
            self._mark_input(port, tensor)
        for segment in self.graph.segments:
            if isinstance(segment, BpuSegment):
                for call in segment.calls:
                    self._check_call(call)
            else:
                self._check_cpu(segment)
        for port, tensor in enumerate(self.graph.outputs):
            self._check_output(port, tensor)

    def _mark_input(self, port: int, tensor: Tensor) -> None:
        memory = self.maps[Space.INPUT, port]
        descriptor = tensor_descriptor(memory.key, tensor)
        memory.cells(memory.writer, descriptor)[...] = BEFORE

    def _check_output(self, port: int, tensor: Tensor) -> None:
        memory = self.maps[Space.OUTPUT, port]
        cells = memory.cells(memory.writer, tensor_descriptor(memory.key, tensor))
        if int(cells.min(initial=0)) < 0:
            raise HazardError(
                f"graph {self.graph.name!r}: parts of output {tensor.name!r} are never written"
            )

    def _check_cpu(self, segment: CpuSegment) -> None:
        number = len(self.names)
        self.names.append(f"CPU call {segment.signature}")
        self.layers.append(segment.layer)
        self.queue_of = np.append(self.queue_of, np.int32(0))
        self.position_of = np.append(self.position_of, np.int32(0))
        known = np.zeros(0, np.int32)
        clock = _Clock(number, -1, known, [], self.queue_of, self.position_of, number)
        for memory in self.maps.values():
            memory.start_call()
        for number_in in segment.inputs:
            self._read(clock, 0, "input", self.descriptors[number_in])
        for number_out in segment.outputs:
            self._write(clock, 0, "output", self.descriptors[number_out])

    def _check_call(self, call: FunctionCall) -> None:
        queues = queue_graph(self.program, call)
        # Loads as late as possible: then most of what an access meets is known to be complete.
        lateness = [_LATENESS.get(engine, 0) for _, engine in queues.keys]
        order = queues.legal_order(lambda ready: min(ready, key=lateness.__getitem__))
        clocks = vector_clocks(queues, order)
        first = len(self.names)
        self._number_instructions(call, queues, order)
        for memory in self.maps.values():
            memory.start_call()
        rows = [queue.tolist() for queue in call.queues.values()]
        for offset, (queue, position) in enumerate(order):
            opcode, flags, _, numbers, _, _, _ = rows[queue][position]
            row = BY_NUMBER[opcode]
            accesses = self._accesses(row, Flag(flags), numbers)
            known = clocks[queue][position]
            clock = _Clock(
                first + offset, queue, known, known.tolist(), self.queue_of, self.position_of, first
            )
            core = queues.keys[queue][0]
            for name, descriptor in accesses.reads:
                self._read(clock, core, name, descriptor)
            for name, descriptor in accesses.writes:
                self._write(clock, core, name, descriptor)

    def _number_instructions(
        self, call: FunctionCall, queues: QueueGraph, order: Sequence[tuple[int, int]]
    ) -> None:
        layers: list[list[int]] = [queue["layer"].tolist() for queue in call.queues.values()]
        for queue, position in order:
            layer = layers[queue][position]
            name = self.graph.layers[layer].name if layer < len(self.graph.layers) else ""
            self.names.append(f"{queues.describe(queue, position)}, layer {name!r}")
            self.layers.append(layer)
        placed = np.array(order, np.int32).reshape(-1, 2)
        self.queue_of = np.append(self.queue_of, placed[:, 0])
        self.position_of = np.append(self.position_of, placed[:, 1])

    def _accesses(self, row: Instruction, flags: Flag, numbers: Sequence[int]) -> _Accesses:
        given = [
            (name.rstrip("?"), self.descriptors[number])
            for name, number in zip(row.operands, numbers, strict=False)
            if number != ABSENT
        ]
        if row.mnemonic != "conv2d":
            return _Accesses(given[1:], given[:1])
        reads = [g for g in given if g[0] in ("x", "weights")]
        accumulator = [g for g in given if g[0] == "accumulator"]
        if not flags & Flag.ACCUMULATE_FIRST:
            reads += accumulator
        if not flags & Flag.ACCUMULATE_LAST:
            return _Accesses(reads, accumulator)
        reads += [g for g in given if g[0] in ("qpp", "residual")]
        return _Accesses(reads, [g for g in given if g[0] == "output"])

    def _read(self, clock: _Clock, core: int, name: str, descriptor: TensorDescriptor) -> None:
        key = memory_key(descriptor, core)
        if self.flow is not None and key[0] is Space.INPUT:
            self.flow.inputs.add((key[1], self.layers[clock.number]))
        memory = self.maps.get(key)
        if memory is None:
            return
        for _, piece in straight_pieces(descriptor):
            writers = memory.cells(memory.writer, piece)
            if int(writers.min()) < BEFORE:
                raise HazardError(self._undefined(clock, name, memory, piece, writers))
            if not clock.covers(memory.last_write):
                self._check_ordered(clock, name, "reads", "writes", memory, piece, writers)
            if self.flow is not None:
                self._note_flow(self.flow, self.layers[clock.number], writers)
            if key[0] not in READ_ONLY and clock.queue >= 0:
                if clock.queue not in memory.readers:
                    memory.readers[clock.queue] = np.full(len(memory.writer), UNWRITTEN, np.int32)
                memory.cells(memory.readers[clock.queue], piece)[...] = clock.number
                memory.last_read[clock.queue] = clock.position

    def _note_flow(self, flow: LayerFlow, reader: int, writers: Array) -> None:
        numbers: list[int] = np.unique(writers).tolist()
        found = {self.layers[number] for number in numbers} - {-1, reader}
        flow.layers.update((writer, reader) for writer in found)

    def _write(self, clock: _Clock, core: int, name: str, descriptor: TensorDescriptor) -> None:
        key = memory_key(descriptor, core)
        if key[0] in READ_ONLY:
            raise HazardError(
                f"graph {self.graph.name!r}: {self.names[clock.number]} writes {memory_name(key)},"
                " which is read-only"
            )
        memory = self.maps[key]
        if self.flow is not None and key[0] == Space.OUTPUT:
            self.flow.outputs.add((self.layers[clock.number], key[1]))
        for _, piece in straight_pieces(descriptor):
            self._write_piece(clock, name, memory, piece, clock.number)
            padding = padding_descriptor(piece)
            if padding is not None:
                self._write_piece(clock, f"{name}'s padding", memory, padding, -2 - clock.number)
        if clock.queue >= 0:
            memory.last_write[clock.queue] = clock.position

    def _write_piece(
        self, clock: _Clock, name: str, memory: AccessMap, piece: TensorDescriptor, mark: int
    ) -> None:
        cells = memory.cells(memory.writer, piece)
        if not clock.covers(memory.last_write):
            writers = np.where(cells < UNWRITTEN, -2 - cells, cells)
            self._check_ordered(clock, name, "writes", "writes", memory, piece, writers)
        for queue, readers in memory.readers.items():
            if not clock.covers({queue: memory.last_read[queue]}):
                mine = memory.cells(readers, piece)
                self._check_ordered(clock, name, "writes", "reads", memory, piece, mine)
        cells[...] = mark

    def _check_ordered(
        self,
        clock: _Clock,
        name: str,
        verb: str,
        other_verb: str,
        memory: AccessMap,
        piece: TensorDescriptor,
        numbers: Array,
    ) -> None:
        unordered = clock.unordered(numbers)
        if unordered is None:
            return
        other, cell = unordered
        begin, end = memory.byte_range(piece, cell)
        raise HazardError(
            f"graph {self.graph.name!r}: {self.names[clock.number]} {verb} ({name}) bytes"
            f" {begin:#x}..{end:#x} of {memory_name(memory.key)}, which {self.names[other]}"
            f" {other_verb}; no token orders the two"
        )

    def _undefined(
        self, clock: _Clock, name: str, memory: AccessMap, piece: TensorDescriptor, writers: Array
    ) -> str:
        bad = writers < BEFORE
        cell = int(np.argmax(bad))
        begin, end = memory.byte_range(piece, cell)
        writer = int(writers.reshape(-1)[cell])
        why = (
            "that nothing before it has written"
            if writer == UNWRITTEN
            else f"that are padding left undefined by {self.names[-2 - writer]}"
        )
        count = int(bad.sum()) * memory.cell_bytes
        return (
            f"graph {self.graph.name!r}: {self.names[clock.number]} reads ({name}) bytes"
            f" {begin:#x}..{end:#x} of {memory_name(memory.key)} {why} ({count} bytes in all)"
        )


@dataclass(frozen=True)
class _Clock:
    """What is known to be complete when an access starts."""

    number: int
    queue: int
    """The queue that it is of; -1 for a CPU call."""
    known: Array
    """Per queue of the function call: how many of its instructions."""
    counts: list[int]
    """`known` as a list."""
    queue_of: Array
    position_of: Array
    first: int
    """Accesses numbered below are of earlier function calls, hence complete."""

    @property
    def position(self) -> int:
        """Its place in its queue."""
        return self.counts[self.queue]

    def covers(self, last: dict[int, int]) -> bool:
        """Whether all accesses are known to be complete of which the last ones, by queue, are
        given. Those of its own queue always are."""
        return all(
            position < self.counts[queue] for queue, position in last.items() if queue != self.queue
        )

    def unordered(self, numbers: Array) -> tuple[int, int] | None:
        """(access, index of its cell) of the first access among `numbers` that isn't complete."""
        cells = numbers.reshape(-1)
        # One access covers long runs of cells: look at the first of each run only.
        starts = np.concatenate(([0], np.flatnonzero(cells[1:] != cells[:-1]) + 1))
        found = cells[starts]
        recent = found >= self.first
        safe = np.where(recent, found, 0)
        known = self.known[np.where(recent, self.queue_of[safe], 0)]
        bad = recent & (self.position_of[safe] >= known) & (safe != self.number)
        if not bad.any():
            return None
        run = int(np.argmax(bad))
        return int(found[run]), int(starts[run])
