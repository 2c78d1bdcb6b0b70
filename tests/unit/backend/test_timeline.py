"""The player: what it may not do, on random programs, and times worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.instruction_cycles import DescriptorFeatures
from hbir.backend.isa.descriptor import TensorDescriptor, channel_padded, dense
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.backend.isa.order import DeadlockError
from hbir.backend.march import Machine, load_march
from hbir.backend.timeline import (
    Timeline,
    frame_microseconds,
    layer_cycles,
    play,
)
from tests.unit.runtime.programs import new_graph, random_program, tiled_convolution

MACHINE = load_march("nash-e")
LATENCY = MACHINE.ddr.transfer_latency_cycles
BURST = MACHINE.ddr.burst_bytes


def played(seed: int) -> Timeline:
    program, _ = random_program(seed)
    return play(MACHINE, program, program.graphs[0])


@given(seed=st.integers(0, 1 << 30))
def test_queues_and_waits_are_kept(seed: int) -> None:
    program, line = random_program(seed)
    rows = play(MACHINE, program, program.graphs[0]).instructions
    times = {(r["engine"], r["position"]): (r["start"], r["end"]) for r in rows}
    assert len(times) == len(line)
    for access in line:
        engine = access.queue[1]
        start, end = times[engine, access.position]
        assert end > start
        if access.position:
            assert times[engine, access.position - 1][1] <= start
        for (_, other), count in access.waits.items():
            assert times[other, count - 1][1] <= start


@given(seed=st.integers(0, 1 << 30))
def test_engines_that_exclude_each_other_take_turns(seed: int) -> None:
    rows = played(seed).instructions
    for group in MACHINE.exclusive:
        mine = rows[np.isin(rows["engine"], [Engine[name] for name in group])]
        mine = mine[np.argsort(mine["start"], kind="stable")]
        assert np.all(mine["end"][:-1] <= mine["start"][1:])


@given(seed=st.integers(0, 1 << 30))
def test_nothing_is_faster_than_its_work_and_the_ddr_never_exceeds_its_bandwidth(
    seed: int,
) -> None:
    timeline = played(seed)
    rows = timeline.instructions
    assert np.all(rows["end"] - rows["start"] >= rows["work"] - 1e-6)
    transfers = rows[rows["ddr_bytes"] > 0]
    for first in transfers["start"]:
        for last in transfers["end"][transfers["end"] > first]:
            inside = (transfers["start"] >= first) & (transfers["end"] <= last)
            moved = int(transfers["ddr_bytes"][inside].sum())
            assert moved <= (last - first) * MACHINE.ddr_bytes_per_cycle + 1e-6 * moved
    assert timeline.cycles == pytest.approx(rows["end"].max())


def two_transfers(second: Engine, machine: Machine = MACHINE, frames: int = 1) -> Timeline:
    """A LOAD of 6400 bytes, and a LOAD or STORE of as many."""
    from hbir.backend.isa.program import Tensor

    builder, graph = new_graph(l1_bytes=1 << 16)
    graph.input(Tensor.dense("big", DType.SI8, (12800,)))
    graph.output(Tensor.dense("out", DType.SI8, (6400,)))
    call = graph.function_call()
    source = dense(Space.INPUT, 0, DType.SI8, (6400,), 1)
    first, other = (dense(Space.L1, at, DType.SI8, (6400,)) for at in (0, 8192))
    call.append(0, Engine.LOAD, "load", (first, source))
    if second is Engine.LOAD:
        call.append(0, Engine.LOAD, "load", (other, source))
    else:
        call.append(
            0, Engine.STORE, "store", (dense(Space.OUTPUT, 0, DType.SI8, (6400,), 1), other)
        )
    program = builder.finish()
    return play(machine, program, program.graphs[0], frames)


def test_transfers_of_one_queue_follow_each_other() -> None:
    alone = LATENCY + 6400 / MACHINE.ddr_bytes_per_cycle
    timeline = two_transfers(Engine.LOAD)
    assert timeline.instructions["end"].tolist() == pytest.approx([alone, 2 * alone])


def test_load_and_store_share_the_bandwidth_but_not_the_latency() -> None:
    timeline = two_transfers(Engine.STORE)
    both = LATENCY + 2 * 6400 / MACHINE.ddr_bytes_per_cycle
    assert timeline.instructions["end"].tolist() == pytest.approx([both, both])
    assert timeline.cycles == pytest.approx(both)


def test_ddr_bytes_are_whole_bursts_of_contiguous_runs() -> None:
    builder, graph = new_graph()
    rows = TensorDescriptor(Space.WORKSPACE, 0, DType.SI8, (1, 4, 2, 5), (800, 200, 5, 1))
    on_chip = channel_padded(Space.L1, 0, DType.SI8, (1, 4, 2, 5), 16)
    call = graph.function_call()
    call.append(0, Engine.LOAD, "load", (on_chip, rows))
    program = builder.finish()
    features = DescriptorFeatures(MACHINE, program)
    queue = next(iter(program.graphs[0].calls())).queues[0, Engine.LOAD]
    assert features.ddr_bytes(queue).tolist() == [4 * BURST]


def test_a_convolution_takes_the_passes_of_its_padded_shape() -> None:
    """(1, 4, 8, 16) of a 3x3 over 8 channels: one pass per kernel position."""
    program = tiled_convolution()
    rows = play(MACHINE, program, program.graphs[0]).instructions
    tensor = rows[rows["engine"] == Engine.TAE]
    assert (
        tensor["work"].tolist()
        == [9.0 * MACHINE.tae.passes_int8_int8 + MACHINE.tae.startup_cycles] * 2
    )


def test_function_calls_run_one_after_another() -> None:
    builder, graph = new_graph()
    source = dense(Space.INPUT, 0, DType.SI8, (1, 2, 2, 8))
    for _ in range(3):
        call = graph.function_call()
        call.append(0, Engine.LOAD, "load", (dense(Space.L1, 0, DType.SI8, source.shape), source))
    program = builder.finish()
    timeline = play(MACHINE, program, program.graphs[0])
    each = LATENCY + BURST / MACHINE.ddr_bytes_per_cycle
    assert timeline.instructions["end"].tolist() == pytest.approx([each, 2 * each, 3 * each])
    assert timeline.segment_cycles == pytest.approx((3 * each,))


def test_layers_sum_their_instructions() -> None:
    program = tiled_convolution()
    timeline = play(MACHINE, program, program.graphs[0])
    costs = layer_cycles(timeline, 1)
    rows = timeline.instructions
    assert costs["compute"][0] == pytest.approx(rows["work"][rows["engine"] == Engine.TAE].sum())
    assert costs["load"][0] == pytest.approx(rows["work"][rows["engine"] == Engine.LOAD].sum())
    assert (costs["start"][0], costs["end"][0]) == (0.0, timeline.cycles)


def test_waits_that_cannot_be_met_are_an_error() -> None:
    builder, graph = new_graph()
    x = dense(Space.L1, 0, DType.SI8, (4,))
    waits = {(0, Engine.STORE): 1}
    source = dense(Space.INPUT, 0, DType.SI8, (4,))
    graph.function_call().append(0, Engine.LOAD, "load", (x, source), waits=waits)
    program = builder.finish()
    with pytest.raises(DeadlockError):
        play(MACHINE, program, program.graphs[0])


def test_a_faster_clock_makes_the_same_cycles_of_compute() -> None:
    machine: Machine = load_march("nash-m")
    program = tiled_convolution()
    slow, fast = (play(m, program, program.graphs[0]).instructions for m in (MACHINE, machine))
    tensor = slow["engine"] == Engine.TAE
    assert slow["work"][tensor].tolist() == fast["work"][tensor].tolist()


def test_frames_side_by_side_share_the_ddr_and_nothing_else() -> None:
    machine = load_march("nash-p")
    alone, four = (two_transfers(Engine.LOAD, machine, frames) for frames in (1, 4))
    assert set(four.instructions["core"].tolist()) == {0, 1, 2, 3}
    slowdown = 4 * machine.ddr.core_bandwidth_gb_per_s / machine.ddr.bandwidth_gb_per_s
    fixed = 2 * machine.ddr.transfer_latency_cycles
    assert four.cycles - fixed == pytest.approx((alone.cycles - fixed) * slowdown)


def test_starting_a_function_call_costs_time_that_no_overlap_hides() -> None:
    timeline = two_transfers(Engine.LOAD)
    between_frames = frame_microseconds(MACHINE, timeline)
    assert between_frames == MACHINE.microseconds(timeline.cycles) + MACHINE.call_overhead_us
