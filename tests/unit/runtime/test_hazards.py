"""Hazards: what is wrong is found, what is right passes, judged against an explicit oracle."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.isa.descriptor import channel_padded, dense
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.backend.isa.order import DeadlockError
from hbir.backend.isa.program import Program
from hbir.errors import HbirError
from hbir.runtime.hazards import HazardError, check_graph
from hbir.runtime.memory import AddressError
from tests.unit.runtime.programs import (
    SHAPE,
    count_waits,
    has_unordered_conflict,
    new_graph,
    random_program,
    split_convolution,
    tiled_convolution,
)


def check(program: Program) -> None:
    check_graph(program, program.graphs[0])


@pytest.mark.parametrize("program", [tiled_convolution(), split_convolution()])
def test_right_programs_pass(program: Program) -> None:
    check(program)


def test_a_missing_wait_is_found_and_named() -> None:
    message = (
        r"instruction 1 of core 0 STORE \(store\), layer 'conv' reads \(input\) bytes"
        r" 0x5000\.\.0x5008 of L1 of core 0 that nothing before it has written \(512 bytes in all\)"
    )
    with pytest.raises(HazardError, match=message):
        check(tiled_convolution(waits=False))


def test_a_shifted_store_leaves_output_bytes_unwritten() -> None:
    with pytest.raises(HazardError, match="output 'y' are never written"):
        check(tiled_convolution(output_shift_bytes=128))


def test_a_buffer_moved_onto_a_live_one_is_found() -> None:
    with pytest.raises(HazardError, match="no token orders the two"):
        check(tiled_convolution(overlap_bytes=4096))


@given(seed=st.integers(0, 1 << 30))
def test_programs_with_the_waits_they_need_pass(seed: int) -> None:
    program, line = random_program(seed)
    assert not has_unordered_conflict(line)
    check(program)


@given(seed=st.integers(0, 1 << 30), data=st.data())
def test_a_removed_wait_is_found_exactly_when_it_was_needed(seed: int, data: st.DataObject) -> None:
    """Mutation: any one wait is left out. The oracle is reachability over explicit edges."""
    _, line = random_program(seed)
    total = count_waits(line)
    drop = data.draw(st.integers(0, max(total - 1, 0)))
    program, mutated = random_program(seed, drop_wait=drop)
    if has_unordered_conflict(mutated):
        with pytest.raises(HazardError):
            check(program)
    else:
        check(program)


@given(seed=st.integers(0, 1 << 30), data=st.data())
def test_a_shifted_operand_is_found_exactly_when_it_breaks_something(
    seed: int, data: st.DataObject
) -> None:
    """Mutation: one on-chip descriptor moves by some bytes. When the checker passes the program,
    every legal order must still give the same bits."""
    import random

    import numpy as np

    from hbir.runtime.simulator import Simulator

    program, _ = random_program(seed)
    number = data.draw(st.integers(0, len(program.descriptors) - 1))
    shift = data.draw(st.sampled_from([1, 8, 16, 40, 1 << 20]))
    descriptors = program.descriptors.copy()
    descriptors["base"][number] += shift
    program = replace(program, descriptors=descriptors)
    try:
        check(program)
    except (HazardError, AddressError):
        return
    x = np.random.default_rng(seed).integers(-128, 128, SHAPE).astype(np.int8)
    simulator = Simulator(program, program.graphs[0])
    expected = simulator.run([x])[0]
    for order in range(3):
        np.testing.assert_array_equal(simulator.run([x], random.Random(order))[0], expected)


def _reads_unwritten() -> Program:
    builder, graph = new_graph()
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    target = dense(Space.OUTPUT, 0, DType.SI8, SHAPE)
    graph.function_call().append(0, Engine.STORE, "store", (target, x))
    return builder.finish()


def _reads_padding() -> Program:
    builder, graph = new_graph()
    call = graph.function_call()
    stale = dense(Space.L1, 0, DType.SI8, (1, 2, 2, 16))
    x = channel_padded(Space.L1, 0, DType.SI8, SHAPE, 16)
    call.append(0, Engine.TRANS, "fill", (stale,), {"value": 1})
    source = dense(Space.INPUT, 0, DType.SI8, SHAPE)
    loaded = call.append(0, Engine.LOAD, "load", (x, source), waits={(0, Engine.TRANS): 1})
    small = dense(Space.OUTPUT, 0, DType.SI8, (1, 1, 2, 16))
    call.append(
        0,
        Engine.STORE,
        "store",
        (small, stale._replace(shape=(1, 1, 2, 16))),
        waits={(0, Engine.LOAD): loaded},
    )
    return builder.finish()


def _reads_what_a_call_before_left_on_chip() -> Program:
    builder, graph = new_graph()
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    source = dense(Space.INPUT, 0, DType.SI8, SHAPE)
    graph.function_call().append(0, Engine.LOAD, "load", (x, source))
    target = dense(Space.OUTPUT, 0, DType.SI8, SHAPE)
    graph.function_call().append(0, Engine.STORE, "store", (target, x))
    return builder.finish()


def _writes_the_input() -> Program:
    builder, graph = new_graph()
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    source = dense(Space.INPUT, 0, DType.SI8, SHAPE)
    call = graph.function_call()
    call.append(0, Engine.LOAD, "load", (x, source))
    call.append(0, Engine.STORE, "store", (source, x), waits={(0, Engine.LOAD): 1})
    return builder.finish()


def _waits_in_a_circle() -> Program:
    builder, graph = new_graph()
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    source = dense(Space.INPUT, 0, DType.SI8, SHAPE)
    target = dense(Space.OUTPUT, 0, DType.SI8, SHAPE)
    call = graph.function_call()
    call.append(0, Engine.LOAD, "load", (x, source), waits={(0, Engine.STORE): 1})
    call.append(0, Engine.STORE, "store", (target, x), waits={(0, Engine.LOAD): 1})
    return builder.finish()


def _waits_for_a_queue_that_is_not_there() -> Program:
    builder, graph = new_graph()
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    source = dense(Space.INPUT, 0, DType.SI8, SHAPE)
    graph.function_call().append(0, Engine.LOAD, "load", (x, source), waits={(0, Engine.SPU): 1})
    return builder.finish()


def _is_outside_the_workspace() -> Program:
    builder, graph = new_graph(workspace_bytes=32)
    x = dense(Space.L1, 0, DType.SI8, SHAPE)
    graph.function_call().append(
        0, Engine.LOAD, "load", (x, dense(Space.WORKSPACE, 8, DType.SI8, SHAPE))
    )
    return builder.finish()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (_reads_unwritten, HazardError, r"bytes 0x0\.\.0x20 of L1 of core 0 that nothing before"),
        (_reads_padding, HazardError, r"that are padding left undefined by instruction 0 of core"),
        (_reads_what_a_call_before_left_on_chip, HazardError, "that nothing before it has written"),
        (_writes_the_input, HazardError, "writes input 0, which is read-only"),
        (_waits_in_a_circle, DeadlockError, "deadlock: .* waits for 1 of core 0 STORE"),
        (_waits_for_a_queue_that_is_not_there, DeadlockError, "a queue without instructions"),
        (_is_outside_the_workspace, AddressError, r"bytes 8\.\.40 of workspace, which has 32"),
    ],
)
def test_each_kind_of_hazard_has_its_message(
    make: Callable[[], Program], error: type[HbirError], message: str
) -> None:
    with pytest.raises(error, match=message):
        check(make())


def test_cores_have_memories_of_their_own() -> None:
    """Two cores use the same L1 addresses unordered; that is no conflict. In L2 it would be."""
    for space, allowed in ((Space.L1, True), (Space.L2, False)):
        builder, graph = new_graph(cores=2)
        builder.l2_bytes = 4096
        call = graph.function_call()
        x = dense(space, 0, DType.SI8, SHAPE)
        half = (1, 1, 2, 8)
        for core in range(2):
            source = dense(Space.INPUT, core * 16, DType.SI8, half)
            loaded = call.append(core, Engine.LOAD, "load", (x._replace(shape=half), source))
            target = dense(Space.OUTPUT, core * 16, DType.SI8, half)
            waits = {(core, Engine.LOAD): loaded}
            call.append(core, Engine.STORE, "store", (target, x._replace(shape=half)), waits=waits)
        if allowed:
            check(builder.finish())
        else:
            with pytest.raises(HazardError, match="l2"):
                check(builder.finish())


def test_removed_waits_are_of_both_kinds() -> None:
    """The mutation test above means something: some waits are needed, some are implied."""
    needed = [
        has_unordered_conflict(random_program(seed, drop_wait=seed % 5)[1]) for seed in range(24)
    ]
    assert any(needed)
    assert not all(needed)
