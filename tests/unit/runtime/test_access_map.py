"""Maps of accesses: their cells are the bytes of an operand, no more and no fewer."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.isa.descriptor import TensorDescriptor, channel_padded, dense
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.runtime.access_map import UNWRITTEN, AccessMap, access_maps
from tests.unit.runtime.programs import LANES_BYTES, new_graph, tiled_convolution

L1 = (Space.L1, 0)


def bytes_of(descriptor: TensorDescriptor) -> set[int]:
    """Element by element."""
    return {
        descriptor.base + int(np.dot(index, descriptor.strides)) + byte
        for index in np.ndindex(*descriptor.shape)
        for byte in range(descriptor.dtype.itemsize)
    }


@given(data=st.data())
def test_the_cells_of_an_operand_are_its_bytes(data: st.DataObject) -> None:
    """Of operands whose cells are as large as all of them allow."""
    builder, graph = new_graph(workspace_bytes=4096)
    call = graph.function_call()
    operands: list[TensorDescriptor] = []
    for _ in range(data.draw(st.integers(1, 3))):
        dtype = data.draw(st.sampled_from([DType.SI8, DType.SI16, DType.SI32]))
        shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
        step = dtype.itemsize * data.draw(st.integers(1, 3))
        strides: list[int] = []
        for extent in reversed(shape):
            strides.insert(0, step)
            step *= extent * data.draw(st.integers(1, 2))
        base = 4 * data.draw(st.integers(0, 64))
        operands.append(TensorDescriptor(Space.L1, base, dtype, shape, tuple(strides)))
        source = dense(Space.WORKSPACE, 0, dtype, shape)
        call.append(0, Engine.LOAD, "load", (operands[-1], source))
    program = builder.finish()
    memory = access_maps(program, program.graphs[0], program.decoded_descriptors())[L1]
    assert (memory.writer == UNWRITTEN).all()
    for number, operand in enumerate(operands):
        memory.cells(memory.writer, operand)[...] = number
        cells = np.flatnonzero(memory.writer == number)
        covered = {int(c) * memory.cell_bytes + b for c in cells for b in range(memory.cell_bytes)}
        assert covered == bytes_of(operand)
        assert memory.byte_range(operand, 0) == (
            operand.base, operand.base + memory.cell_bytes
        )  # fmt: skip


def test_cells_are_as_large_as_the_operands_allow() -> None:
    program = tiled_convolution()
    memory = access_maps(program, program.graphs[0], program.decoded_descriptors())[L1]
    assert memory.cell_bytes == 8  # the input's channels, which padding follows


def test_a_call_forgets_what_is_on_chip_and_keeps_the_rest() -> None:
    for key, left in ((L1, UNWRITTEN), ((Space.WORKSPACE, 0), 7)):
        memory = AccessMap(key, 4, np.full(8, 7, np.int32), {0: np.zeros(8, np.int32)}, {0: 1})
        memory.start_call()
        assert set(memory.writer.tolist()) == {left}
        assert not memory.readers
        assert not memory.last_read


def test_padding_is_apart_from_the_data() -> None:
    padded = channel_padded(Space.L1, 0, DType.SI8, (1, 2, 2, 24), LANES_BYTES)
    memory = AccessMap(L1, 8, np.full(16, UNWRITTEN, np.int32))
    memory.cells(memory.writer, padded)[...] = 1
    assert memory.writer.tolist() == [1, 1, 1, UNWRITTEN] * 4
