"""The simulator: executes encoded instructions on modelled memories, bit for bit.

What an instruction computes is the kernel of its row in the field table, the very function that
the interpreters call. Memories are byte arrays; operands are views of them, made once per program,
so that running an instruction costs its kernel and little else.

Before the first run `hazards.check_graph` proves, without data, that every legal order gives the
same bits. On-chip memory is poisoned at every function call, and padding at every write.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hbir.backend.isa.descriptor import RING_AXIS, TensorDescriptor
from hbir.backend.isa.enums import DType, Flag, Space
from hbir.backend.isa.order import QueueGraph, queue_graph
from hbir.backend.isa.program import (
    ABSENT,
    NO_VALUE,
    BpuSegment,
    CpuSegment,
    FunctionCall,
    Graph,
    Program,
    QueueKey,
    Tensor,
)
from hbir.backend.isa.shapes import check_shapes
from hbir.backend.isa.table import BY_MNEMONIC, BY_NUMBER, Instruction
from hbir.errors import HbirError
from hbir.kernels.integer.conv import conv2d_accumulate, conv2d_finish
from hbir.kernels.table import execute_all, find_kernel
from hbir.runtime.hazards import check_graph
from hbir.runtime.memory import (
    POISON,
    Array,
    Memories,
    is_open,
    padding_descriptor,
    straight_pieces,
)
from hbir.runtime.values import GatheredValues, Tap, ValueListener, box_at

Step = Callable[[], None]


class ExecutionError(HbirError):
    """An instruction whose operands and parameters don't fit each other."""


class Simulator:
    """One graph of a program on its own machine.

    check: prove the absence of hazards before the first run (HazardError otherwise).
    """

    def __init__(self, program: Program, graph: Graph, *, check: bool = True) -> None:
        self.program = program
        self.graph = graph
        self._check = check
        self._plan: _Plan | None = None

    def run(
        self,
        inputs: Sequence[Array],
        order: random.Random | None = None,
        listener: ValueListener | None = None,
    ) -> list[Array]:
        """The outputs for inputs of the interface's shapes and dtypes, in its order.

        order: draws one of the legal orders instead of the default one. listener: gets every named
        tensor of the debug table at the end.
        Raises HazardError, AddressError, DeadlockError or ExecutionError, all HbirErrors that
        name the instruction, its queue and its layer.
        """
        if self._plan is None:
            if self._check:
                check_graph(self.program, self.graph)
            self._plan = _Plan(self.program, self.graph)
        return self._plan.run(inputs, order, listener)


Observer = Callable[[int, int], None]
"""Called with (number of the queue, position) after each instruction."""


class _Call:
    """A function call made ready: a step per instruction, and its default order."""

    def __init__(
        self,
        call: FunctionCall,
        queues: QueueGraph,
        steps: list[list[Step]],
        layers: list[list[int]],
    ) -> None:
        self.call = call
        self.queues = queues
        self.steps = steps
        self.layers = layers
        self.order = queues.legal_order()
        self.default = [steps[queue][position] for queue, position in self.order]

    def run(
        self, order: random.Random | None, graph: Graph, observer: Observer | None = None
    ) -> None:
        sequence, steps = self.order, self.default
        if order is not None:
            sequence = self.queues.legal_order(order.choice)
            steps = [self.steps[queue][position] for queue, position in sequence]
        index = 0
        try:
            for index, step in enumerate(steps):
                step()
                if observer is not None:
                    observer(*sequence[index])
        except Exception as error:  # kernels raise whatever NumPy does; say which instruction
            queue, position = sequence[index]
            layer = self.layers[queue][position]
            where = _where(graph, self.queues, (queue, position), layer)
            raise ExecutionError(f"{where}: {error}") from error


@dataclass(frozen=True)
class _CpuStep:
    """A CPU call made ready; `values`: by result the number of its value, or NO_VALUE."""

    run: Callable[[], Sequence[Array]]
    values: tuple[int, ...]


class _Plan:
    """A graph made ready to run: memories, and what to do on them."""

    def __init__(self, program: Program, graph: Graph) -> None:
        self.graph = graph
        self.memories = Memories(program, graph)
        self.descriptors = program.decoded_descriptors()
        self.words: list[int] = program.parameters.tolist()
        self.open_inputs: dict[int, Array] = {}
        """By port, the inputs of this run whose extents it gives."""
        self.inputs = {
            i: self._tensor(Space.INPUT, i, tensor)
            for i, tensor in enumerate(graph.inputs)
            if not tensor.open_axes
        }
        self.outputs = [self._tensor(Space.OUTPUT, i, t) for i, t in enumerate(graph.outputs)]
        self.segments: list[_Call | _CpuStep] = []
        self._taps: dict[int, list[dict[int, Tap]]] = {}
        for segment in graph.segments:
            if isinstance(segment, BpuSegment):
                self.segments += [self._call(program, call) for call in segment.calls]
            else:
                self.segments.append(self._cpu(segment))

    def run(
        self,
        inputs: Sequence[Array],
        order: random.Random | None,
        listener: ValueListener | None,
    ) -> list[Array]:
        self.memories.poison((Space.INPUT, Space.OUTPUT, Space.WORKSPACE))
        for port, (tensor, array) in enumerate(zip(self.graph.inputs, inputs, strict=True)):
            if tensor.open_axes:
                self.open_inputs[port] = _laid_out(tensor, array)
            else:
                self.inputs[port][...] = array
        gathered = None if listener is None else GatheredValues(self.graph, inputs)
        for segment in self.segments:
            if isinstance(segment, _Call):
                self.memories.poison_on_chip()
                segment.run(order, self.graph, self._observer(segment, gathered))
                continue
            results = segment.run()
            if gathered is not None:
                for value, result in zip(segment.values, results, strict=False):
                    if value != NO_VALUE:
                        gathered.set(value, result)
        if gathered is not None and listener is not None:
            gathered.report(listener)
        return [np.array(view, order="C") for view in self.outputs]

    def _observer(self, call: _Call, gathered: GatheredValues | None) -> Observer | None:
        """What copies the parts of values that a function call's instructions write."""
        if gathered is None:
            return None
        taps = self._taps.get(id(call))
        if taps is None:
            taps = self._taps[id(call)] = [
                self._queue_taps(call.call, key) for key in call.call.queues
            ]

        def observe(queue: int, position: int) -> None:
            tap = taps[queue].get(position)
            if tap is not None:
                gathered.take(tap)

        return observe

    def _queue_taps(self, call: FunctionCall, key: QueueKey) -> dict[int, Tap]:
        """By position in a queue, the part of a value that the instruction writes."""
        if key not in call.parts:
            return {}
        outputs: list[int] = call.queues[key]["operands"][:, 0].tolist()
        parts: list[tuple[int, int, list[int]]] = call.parts[key].tolist()
        taps: dict[int, Tap] = {}
        for position, value, origin in parts:
            written = self.descriptors[outputs[position]]
            box = box_at(origin, written.shape)
            taps[position] = Tap(value, box, self._reader(written, key[0]))
        return taps

    def _tensor(self, space: Space, port: int, tensor: Tensor) -> Array:
        buffer = self.memories.buffers[space, port]
        return np.ndarray(tensor.shape, tensor.dtype.numpy, buffer.data, 0, tensor.strides)

    # ----------------------------------------------------------------- instructions

    def _call(self, program: Program, call: FunctionCall) -> _Call:
        queues = queue_graph(program, call)
        steps: list[list[Step]] = []
        layers: list[list[int]] = []
        for number, ((core, _), queue) in enumerate(call.queues.items()):
            queue_steps: list[Step] = []
            for position, fields in enumerate(queue.tolist()):
                try:
                    queue_steps.append(self._step(core, fields))
                except HbirError as error:
                    where = _where(self.graph, queues, (number, position), fields[2])
                    raise ExecutionError(f"{where}: {error}") from None
            steps.append(queue_steps)
            layers.append(queue["layer"].tolist())
        return _Call(call, queues, steps, layers)

    def _step(self, core: int, fields: tuple[Any, ...]) -> Step:
        opcode, flags, _, _, first_word, _, _ = fields
        numbers: Sequence[int] = fields[3]
        row = BY_NUMBER[opcode]
        words = tuple(self.words[first_word : first_word + row.word_count])
        params = row.decode(words)
        operands = [
            None if number == ABSENT else self.descriptors[number]
            for number in numbers[: len(row.operands)]
        ]
        check_shapes(row, operands, params)
        self._check_open(row, operands)
        if row.mnemonic == "conv2d":
            return self._conv2d(core, Flag(flags), operands, params)
        output = operands[0]
        assert output is not None  # the reader refuses an instruction without it
        write = self._writer(output, core)
        reads = [self._reader(d, core) for d in operands[1:] if d is not None]
        if not row.kernel:
            return _move(row, output, write, reads, params)
        return _compute(row, output, write, reads, params)

    def _conv2d(
        self,
        core: int,
        flags: Flag,
        operands: Sequence[TensorDescriptor | None],
        params: dict[str, Any],
    ) -> Step:
        output, accumulator, *arrays = operands
        x, weights, qpp, residual = arrays
        assert x is not None  # the reader refuses an instruction without it
        assert weights is not None
        assert qpp is not None
        whole = Flag.ACCUMULATE_FIRST | Flag.ACCUMULATE_LAST
        if flags == whole and output is not None:
            reads = [self._reader(d, core) for d in arrays if d is not None]
            row = BY_MNEMONIC["conv2d"]
            return _compute(row, output, self._writer(output, core), reads, params)
        if accumulator is None:
            raise ExecutionError("a split convolution needs its accumulator operand")
        _expect_accumulator(accumulator, x, weights)
        finish = {k: params.pop(k) for k in ("output_zero_point", "clip")}
        read_x, read_w = self._reader(x, core), self._reader(weights, core)
        read_sum = None if flags & Flag.ACCUMULATE_FIRST else self._reader(accumulator, core)
        if not flags & Flag.ACCUMULATE_LAST:
            write_sum = self._writer(accumulator, core)
            return lambda: write_sum(_partial_sum(read_x, read_w, read_sum, params))
        if output is None:
            raise ExecutionError("a finished convolution needs its output operand")
        write, read_qpp = self._writer(output, core), self._reader(qpp, core)
        read_residual = None if residual is None else self._reader(residual, core)
        finish["dtype"] = output.dtype.numpy

        def run() -> None:
            total = _partial_sum(read_x, read_w, read_sum, params)
            added = None if read_residual is None else read_residual()
            write(conv2d_finish(total, read_qpp(), added, **finish))

        return run

    # ----------------------------------------------------------------- operands

    def _check_open(self, row: Instruction, operands: Sequence[TensorDescriptor | None]) -> None:
        """The resizer alone reads inputs whose extents each run gives, and nothing but them."""
        for name, operand in zip(row.operands, operands, strict=False):
            if operand is None:
                continue
            is_plane = row.mnemonic == "roi_resize" and name.rstrip("?") in ("y", "uv")
            if is_open(self.graph, operand) != is_plane:
                raise ExecutionError(
                    f"{name.rstrip('?')} is {'not ' if is_plane else ''}an input with open extents,"
                    " which the planes of roi_resize are and no other operand is"
                )

    def _reader(self, descriptor: TensorDescriptor, core: int) -> Callable[[], Array]:
        if is_open(self.graph, descriptor):
            port = descriptor.port
            return lambda: self.open_inputs[port]
        views = [self.memories.view(d, core) for _, d in straight_pieces(descriptor)]
        if len(views) == 1:
            view = views[0]
            return lambda: view
        return lambda: np.concatenate(views, axis=RING_AXIS)

    def _writer(self, descriptor: TensorDescriptor, core: int) -> Callable[[Array], None]:
        if descriptor.space in (Space.CONSTANT, Space.INPUT):
            raise ExecutionError(f"writes {descriptor.space.name}, which is read-only")
        shape, dtype = descriptor.shape, descriptor.dtype.numpy
        targets: list[tuple[int, int, Array, Array | None]] = []
        for first, piece in straight_pieces(descriptor):
            rows = piece.shape[RING_AXIS] if descriptor.ring_rows else 0
            padding = padding_descriptor(piece)
            undefined = None if padding is None else self.memories.view(padding, core)
            targets.append((first, rows, self.memories.view(piece, core), undefined))
        _, _, view, undefined = targets[0]
        if len(targets) == 1 and undefined is None:

            def write_dense(array: Array) -> None:
                if array.shape != shape or array.dtype != dtype:
                    raise ExecutionError(_misfit(array, shape, dtype))
                view[...] = array

            return write_dense

        def write(array: Array) -> None:
            if array.shape != shape or array.dtype != dtype:
                raise ExecutionError(_misfit(array, shape, dtype))
            for first, rows, target, undefined in targets:
                target[...] = array[:, first : first + rows] if rows else array
                if undefined is not None:
                    undefined[...] = POISON

        return write

    # ----------------------------------------------------------------- CPU segments

    def _cpu(self, segment: CpuSegment) -> _CpuStep:
        reads = [self._reader(self.descriptors[n], 0) for n in segment.inputs]
        outputs = [self.descriptors[n] for n in segment.outputs]
        writes = [self._writer(d, 0) for d in outputs]
        params = {
            "signature": segment.signature,
            "parameters": segment.parameters,
            "dtypes": tuple(d.dtype.numpy for d in outputs),
        }
        where = f"graph {self.graph.name!r}: CPU call {segment.signature}"

        def run() -> Sequence[Array]:
            try:
                results = execute_all("hbtl.call", [np.array(read()) for read in reads], params)
                if len(results) != len(writes):
                    raise ExecutionError(f"{len(results)} results, expected {len(writes)}")
                for write, result in zip(writes, results, strict=True):
                    write(result)
                return results
            except Exception as error:  # CPU ops raise whatever NumPy or onnx does; say which
                raise ExecutionError(f"{where}: {error}") from error

        return _CpuStep(run, segment.values)


def _laid_out(tensor: Tensor, array: Array) -> Array:
    """An input as a camera would leave it in DDR: rows at its stride, undefined bytes between."""
    strides = tensor.run_strides(array.shape)
    try:
        buffer = np.full(array.shape[0] * strides[0], POISON, np.uint8)
    except MemoryError:
        raise ExecutionError(f"no memory for input {tensor.name!r} of {array.shape}") from None
    view = np.ndarray(array.shape, tensor.dtype.numpy, buffer.data, 0, strides)
    view[...] = array
    return view


def _where(graph: Graph, queues: QueueGraph, place: tuple[int, int], layer: int) -> str:
    name = graph.layers[layer].name if layer < len(graph.layers) else ""
    return f"graph {graph.name!r}: {queues.describe(*place)}, layer {name!r}"


def _misfit(array: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    return (
        f"computes {array.dtype} {list(array.shape)}, its output operand is {dtype} {list(shape)}"
    )


def _move(
    row: Instruction,
    output: TensorDescriptor,
    write: Callable[[Array], None],
    reads: Sequence[Callable[[], Array]],
    params: Mapping[str, Any],
) -> Step:
    """load, store, copy, fill and permute: the machine moves bytes, no kernel is involved."""
    if row.mnemonic == "fill":
        value = params["value"]
        if output.dtype not in (DType.F16, DType.F32, DType.F64, DType.BOOL):
            bounds = np.iinfo(output.dtype.numpy)
            if not bounds.min <= value <= bounds.max:
                raise ExecutionError(f"fills {output.dtype.name} with {value}")
        filled = np.full(output.shape, value, output.dtype.numpy)
        return lambda: write(filled)
    (read,) = reads
    if row.mnemonic == "permute":
        dims: tuple[int, ...] = params["dims"]
        return lambda: write(read().transpose(dims))
    return lambda: write(read())


def _compute(
    row: Instruction,
    output: TensorDescriptor,
    write: Callable[[Array], None],
    reads: Sequence[Callable[[], Array]],
    params: dict[str, Any],
) -> Step:
    kernel = find_kernel(row.kernel)
    params = {key: value for key, value in params.items() if value is not None}
    if "dtype" in inspect.signature(kernel).parameters:
        params["dtype"] = output.dtype.numpy

    def run() -> None:
        result = kernel(*[read() for read in reads], **params)
        assert not isinstance(result, tuple)  # no instruction's kernel has several results
        write(result)

    return run


def _partial_sum(
    read_x: Callable[[], Array],
    read_w: Callable[[], Array],
    read_sum: Callable[[], Array] | None,
    params: Mapping[str, Any],
) -> Array:
    total = conv2d_accumulate(read_x(), read_w(), **params)
    return total if read_sum is None else total + read_sum()


def _expect_accumulator(
    accumulator: TensorDescriptor, x: TensorDescriptor, weights: TensorDescriptor
) -> None:
    narrow = x.dtype == weights.dtype == DType.SI8
    expected = DType.SI32 if narrow else DType.SI64
    if accumulator.dtype != expected:
        raise ExecutionError(
            f"its accumulator is {accumulator.dtype.name}, products of {x.dtype.name} by"
            f" {weights.dtype.name} need {expected.name}"
        )
