"""The simulator against NumPy and the kernels, in every legal order."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.isa.descriptor import TensorDescriptor, channel_padded, dense
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.errors import HbirError
from hbir.hbm.reader import decode_program
from hbir.hbm.writer import encode_program
from hbir.kernels.table import execute
from hbir.runtime.memory import AddressError
from hbir.runtime.simulator import ExecutionError, Simulator
from tests.unit.runtime.programs import (
    SHAPE,
    Array,
    convolution_arrays,
    new_graph,
    random_program,
    split_convolution,
    tiled_convolution,
)


def simulate(program: object, *inputs: Array, order: random.Random | None = None) -> Array:
    """The one output of the program's bytes, read back."""
    from hbir.backend.isa.program import Program

    assert isinstance(program, Program)
    decoded = decode_program(encode_program(program))
    (output,) = Simulator(decoded, decoded.graphs[0]).run(inputs, order)
    return output


def image(seed: int, shape: tuple[int, ...] = (1, 8, 8, 8)) -> Array:
    return np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)


@pytest.mark.parametrize("program", [tiled_convolution(), split_convolution()])
@pytest.mark.parametrize("order", [None, random.Random(1), random.Random(2)])
def test_tiles_and_splits_give_the_bits_of_the_whole_kernel(
    program: object, order: random.Random | None
) -> None:
    weights, qpp = convolution_arrays()
    x = image(3)
    expected = execute("bpu.conv2d", [x, weights, qpp], {"pad": (1, 1, 1, 1)})
    np.testing.assert_array_equal(simulate(program, x, order=order), expected)


@given(seed=st.integers(0, 1 << 30), order=st.integers(0, 1 << 30))
def test_every_legal_order_gives_the_same_bits(seed: int, order: int) -> None:
    """Random programs with just the waits they need: none deadlocks, none depends on the order."""
    program, _ = random_program(seed)
    x = image(seed, SHAPE)
    np.testing.assert_array_equal(
        simulate(program, x), simulate(program, x, order=random.Random(order))
    )


@given(seed=st.integers(0, 1 << 30))
def test_random_programs_equal_a_straight_line_in_numpy(seed: int) -> None:
    """The oracle executes the accesses one after another on dictionaries of bytes."""
    program, line = random_program(seed)
    x = image(seed, SHAPE)
    memory: dict[tuple[Space, int], int] = {}
    for offset, value in enumerate(x.ravel()):
        memory[Space.INPUT, offset] = int(value)
    queues = program.graphs[0].segments[0]
    from hbir.backend.isa.program import BpuSegment
    from hbir.backend.isa.table import BY_NUMBER

    assert isinstance(queues, BpuSegment)
    words = program.parameters.tolist()
    for access in line:
        fields = queues.calls[0].queues[access.queue][access.position]
        row = BY_NUMBER[int(fields["opcode"])]
        first = int(fields["parameters"])
        params = row.decode(tuple(words[first : first + row.word_count]))
        arrays = [_gather(memory, read) for read in access.reads]
        params = {key: value for key, value in params.items() if value is not None}
        result = execute(row.kernel, arrays, params) if row.kernel else arrays[0]
        _scatter(memory, access.write, result)
    expected = _gather(memory, dense(Space.OUTPUT, 0, DType.SI8, SHAPE))
    np.testing.assert_array_equal(simulate(program, x), expected)


def _offsets(descriptor: TensorDescriptor) -> list[int]:
    indices = np.ndindex(*descriptor.shape)
    return [
        descriptor.base + sum(i * s for i, s in zip(index, descriptor.strides, strict=True))
        for index in indices
    ]


def _gather(memory: dict[tuple[Space, int], int], descriptor: TensorDescriptor) -> Array:
    values = [memory[descriptor.space, offset] for offset in _offsets(descriptor)]
    return np.array(values, np.int8).reshape(descriptor.shape)


def _scatter(
    memory: dict[tuple[Space, int], int], descriptor: TensorDescriptor, result: Array
) -> None:
    for offset, value in zip(_offsets(descriptor), result.ravel(), strict=True):
        memory[descriptor.space, offset] = int(value)


def test_named_tensors_are_gathered_from_tiles() -> None:
    program = tiled_convolution()
    x = image(1)
    found: dict[str, Array] = {}
    simulator = Simulator(program, program.graphs[0])
    (y,) = simulator.run([x], listener=lambda name, array, value: found.update({name: array}))
    assert list(found) == ["x", "conv", "flat", "tail", "deep"]
    np.testing.assert_array_equal(found["x"], x)
    np.testing.assert_array_equal(found["conv"], y)
    np.testing.assert_array_equal(found["flat"], y.reshape(1, -1))
    np.testing.assert_array_equal(found["tail"], y[:, 2:])
    np.testing.assert_array_equal(found["deep"].ravel(), y.ravel())


def test_a_line_buffer_wraps() -> None:
    """Rows written to and read from a ring in two pieces are the rows of the image."""
    builder, graph = new_graph()
    graph.inputs.clear()
    graph.outputs.clear()
    from hbir.backend.isa.program import Tensor

    shape = (1, 3, 4, 8)
    graph.input(Tensor.dense("x", DType.SI8, shape))
    graph.output(Tensor.dense("y", DType.SI8, shape))
    call = graph.function_call()
    ring = channel_padded(Space.L1, 64, DType.SI8, shape, 16)._replace(ring_rows=5, ring_start=3)
    source = dense(Space.INPUT, 0, DType.SI8, shape)
    loaded = call.append(0, Engine.LOAD, "load", (ring, source))
    target = dense(Space.OUTPUT, 0, DType.SI8, shape)
    call.append(0, Engine.STORE, "store", (target, ring), waits={(0, Engine.LOAD): loaded})
    x = image(5, shape)
    np.testing.assert_array_equal(simulate(builder.finish(), x), x)


def test_a_cpu_call_runs_between_bpu_segments() -> None:
    builder, graph = new_graph(workspace_bytes=64)
    work = dense(Space.WORKSPACE, 0, DType.SI8, SHAPE)
    source = dense(Space.INPUT, 0, DType.SI8, SHAPE)
    target = dense(Space.OUTPUT, 0, DType.SI8, SHAPE)
    graph.cpu_call("native::bpu.max", {}, [source, source], [work], reason="only a test")
    call = graph.function_call()
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    loaded = call.append(0, Engine.LOAD, "load", (x, work))
    call.append(0, Engine.STORE, "store", (target, x), waits={(0, Engine.LOAD): loaded})
    values = image(6, SHAPE)
    np.testing.assert_array_equal(simulate(builder.finish(), values), values)


def test_permute_and_fill() -> None:
    builder, graph = new_graph()
    call = graph.function_call()
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    turned = dense(Space.L1, 512, DType.SI8, (1, 2, 8, 2))
    back = dense(Space.L1, 1024, DType.SI8, SHAPE)
    one_row = back._replace(shape=(1, 1, 2, 8))
    loaded = call.append(0, Engine.LOAD, "load", (x, dense(Space.INPUT, 0, DType.SI8, SHAPE)))
    call.append(
        0, Engine.TRANS, "permute", (turned, x), {"dims": (0, 1, 3, 2)}, {(0, Engine.LOAD): loaded}
    )
    call.append(0, Engine.TRANS, "permute", (back, turned), {"dims": (0, 1, 3, 2)})
    filled = call.append(0, Engine.TRANS, "fill", (one_row,), {"value": -7})
    target = dense(Space.OUTPUT, 0, DType.SI8, SHAPE)
    call.append(0, Engine.STORE, "store", (target, back), waits={(0, Engine.TRANS): filled})
    values = image(7, SHAPE)
    expected = values.copy()
    expected[:, 0] = -7
    np.testing.assert_array_equal(simulate(builder.finish(), values), expected)


def test_on_chip_memory_does_not_outlive_a_function_call() -> None:
    """Unchecked, what the second call reads is poison, not the first call's data."""
    builder, graph = new_graph()
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    graph.function_call().append(
        0, Engine.LOAD, "load", (x, dense(Space.INPUT, 0, DType.SI8, SHAPE))
    )
    target = dense(Space.OUTPUT, 0, DType.SI8, SHAPE)
    graph.function_call().append(0, Engine.STORE, "store", (target, x))
    program = builder.finish()
    (output,) = Simulator(program, program.graphs[0], check=False).run([image(1, SHAPE)])
    assert np.all(output.view(np.uint8) == 0xA5)


def test_an_address_out_of_range_is_an_error_even_unchecked() -> None:
    program = tiled_convolution()
    program = replace(program, l1_bytes=16384)
    with pytest.raises((AddressError, ExecutionError), match="outside L1 of core 0"):
        Simulator(program, program.graphs[0], check=False).run([image(0)])


def test_operands_that_do_not_fit_name_instruction_and_layer() -> None:
    builder, graph = new_graph()
    call = graph.function_call()
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    wrong = dense(Space.L1, 512, DType.SI8, (1, 2, 2, 4))
    loaded = call.append(0, Engine.LOAD, "load", (x, dense(Space.INPUT, 0, DType.SI8, SHAPE)))
    call.append(0, Engine.VAE, "max", (wrong, x, x), waits={(0, Engine.LOAD): loaded})
    program = builder.finish()
    simulator = Simulator(program, program.graphs[0], check=False)
    with pytest.raises(HbirError, match=r"core 0 VAE \(max\), layer 'layer0': output has shape"):
        simulator.run([image(0, SHAPE)])
