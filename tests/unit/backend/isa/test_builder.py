"""The builder: counts to wait for, tables without repeats, errors that name the opcode."""

import numpy as np
import pytest

from hbir.backend.isa.builder import ProgramBuilder
from hbir.backend.isa.descriptor import dense
from hbir.backend.isa.enums import DType, Engine, Flag, Space
from hbir.backend.isa.program import BpuSegment, CpuSegment
from hbir.errors import HbirError

X = dense(Space.L1, 0, DType.SI8, (1, 8))
Y = dense(Space.L1, 64, DType.SI8, (1, 8))


def builder() -> ProgramBuilder:
    return ProgramBuilder("nash-e", l1_bytes=1024)


def test_append_returns_the_count_to_wait_for() -> None:
    call = builder().graph("g").function_call()
    assert call.append(0, Engine.VAE, "max", (Y, X, X)) == 1
    assert call.append(0, Engine.VAE, "max", (X, Y, Y)) == 2
    assert call.append(0, Engine.TRANS, "copy", (X, Y), waits={(0, Engine.VAE): 2}) == 1
    assert call.length(0, Engine.VAE) == 2
    assert call.length(0, Engine.TAE) == 0


def test_equal_descriptors_parameters_and_waits_are_kept_once() -> None:
    program = builder()
    call = program.graph("g").function_call()
    for _ in range(5):
        call.append(0, Engine.LOAD, "load", (X, Y))
        params = {"multipliers": [3, 4], "shift": 5, "dtype": np.int8}
        call.append(0, Engine.VAE, "add", (Y, X, X), params, {(0, Engine.LOAD): 1})
    finished = program.finish()
    assert len(finished.descriptors) == 2
    assert len(finished.waits) == 1
    assert len(finished.parameters) == 7


def test_a_wait_for_nothing_is_dropped() -> None:
    program = builder()
    call = program.graph("g").function_call()
    call.append(0, Engine.VAE, "max", (Y, X, X), waits={(0, Engine.LOAD): 0})
    assert len(program.finish().waits) == 0


def test_function_calls_share_a_segment_until_a_cpu_call() -> None:
    program = builder()
    graph = program.graph("g")
    graph.function_call().append(0, Engine.VAE, "max", (Y, X, X))
    graph.function_call().append(0, Engine.VAE, "max", (Y, X, X))
    graph.cpu_call("native::hbir.add", {}, [X], [Y])
    graph.function_call().append(0, Engine.VAE, "max", (Y, X, X))
    segments = program.finish().graphs[0].segments
    assert [type(segment) for segment in segments] == [BpuSegment, CpuSegment, BpuSegment]
    assert isinstance(segments[0], BpuSegment)
    assert len(segments[0].calls) == 2


def test_constants_are_aligned_and_kept_once() -> None:
    program = builder()
    first = program.constant(b"abc")
    second = program.constant(np.arange(4, dtype=np.int32))
    assert (first, second) == (0, 64)
    assert program.constant(b"abc") == first
    assert bytes(program.finish().constants[64:80]) == np.arange(4, dtype="<i4").tobytes()


@pytest.mark.parametrize(
    ("engine", "opcode", "operands", "flags", "message"),
    [
        (Engine.TAE, "max", (Y, X, X), None, "max can't be in queue TAE"),
        (Engine.STORE, "load", (Y, X), None, "load can't be in queue STORE"),
        (Engine.VAE, "max", (Y, X), None, "max needs operand y"),
        (Engine.VAE, "max", (Y, X, X, X), None, "max takes 3 operands, got 4"),
        (Engine.VAE, "max", (Y, X, X), Flag.ACCUMULATE_LAST, "max doesn't take flags"),
    ],
)
def test_wrong_instructions_are_refused(
    engine: Engine, opcode: str, operands: tuple[object, ...], flags: Flag | None, message: str
) -> None:
    call = builder().graph("g").function_call()
    with pytest.raises(HbirError, match=message):
        call.append(0, engine, opcode, operands, flags=flags)  # pyright: ignore[reportArgumentType]  (wrong on purpose)
