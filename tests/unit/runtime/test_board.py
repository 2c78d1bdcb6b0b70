"""The simulated board: throughput, priorities, pre-emption, shared DDR; by hand-made costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.backend.march import load_march
from hbir.backend.timeline import frame_microseconds, play
from hbir.runtime.board import CallCost, Frame, Workload, call_costs, simulate
from tests.unit.runtime.programs import tiled_convolution


def _workload(*calls_us: float, contention: float = 1.0, **options: object) -> Workload:
    calls = tuple(
        CallCost(0, tuple(us * (1 + (contention - 1) * n / 3) for n in range(4))) for us in calls_us
    )
    return replace(Workload("m", calls, 1, launch_us=100.0), **options)  # pyright: ignore[reportArgumentType]  # keywords


def _of(frames: list[Frame], workload: int) -> list[Frame]:
    return [frame for frame in frames if frame.workload == workload]


def test_one_thread_pays_launch_and_bpu_per_frame() -> None:
    frames = simulate(1, [_workload(300.0, frames=5)])
    assert [frame.latency_us for frame in frames] == pytest.approx([400.0] * 5)
    assert frames[-1].ended == pytest.approx(5 * 400.0)


def test_enough_threads_keep_a_core_busy() -> None:
    frames = simulate(1, [_workload(300.0, threads=8, frames=100)])
    assert frames[-1].ended == pytest.approx(100.0 + 100 * 300.0)
    # Little's law: eight frames in flight, one every 300 µs.
    assert frames[50].latency_us == pytest.approx(8 * 300.0)


def test_cores_run_beside_each_other_and_share_the_ddr() -> None:
    alone = simulate(4, [_workload(300.0, contention=2.0, frames=10)])
    assert alone[0].latency_us == pytest.approx(400.0)
    full = simulate(4, [_workload(300.0, contention=2.0, threads=16, frames=400)])
    per_frame = (full[-1].ended - full[99].ended) / 300
    assert per_frame == pytest.approx(600.0 / 4, rel=0.01)


def test_a_task_of_higher_priority_goes_first_among_those_that_wait() -> None:
    low, high = _workload(1000.0, threads=4, frames=4), _workload(10.0, frames=1, launch_us=150.0)
    frames = simulate(1, [low, replace(high, priority=253)])
    (urgent,) = _of(frames, 1)
    # Submitted at 150 while the first low task runs until 1100; the other three wait behind it.
    assert urgent.ended == pytest.approx(1110.0)
    assert sum(frame.preempted for frame in frames) == 0


@pytest.mark.parametrize(("priority", "ended"), [(253, 1110.0), (254, 360.0), (255, 360.0)])
def test_254_and_255_take_the_core_at_the_next_function_call(priority: int, ended: float) -> None:
    low = _workload(*[250.0] * 4, frames=1)
    high = _workload(10.0, frames=1, launch_us=150.0, priority=priority)
    frames = simulate(1, [low, high])
    (urgent,), (interrupted,) = _of(frames, 1), _of(frames, 0)
    assert urgent.ended == pytest.approx(ended)
    assert interrupted.preempted == (1 if priority >= 254 else 0)
    assert interrupted.ended == pytest.approx(1110.0 if priority >= 254 else 1100.0)


def test_a_function_call_cannot_be_interrupted() -> None:
    frames = simulate(
        1,
        [_workload(1000.0, frames=1), _workload(10.0, frames=1, launch_us=150.0, priority=255)],
    )
    assert _of(frames, 1)[0].ended == pytest.approx(1110.0)


def test_a_workload_stays_on_its_cores() -> None:
    one = _workload(300.0, threads=4, frames=40, cores=frozenset({1}))
    assert simulate(2, [one])[-1].ended == pytest.approx(100.0 + 40 * 300.0)
    other = replace(one, cores=frozenset({0}))
    assert simulate(2, [one, other])[-1].ended == pytest.approx(100.0 + 40 * 300.0)


def test_a_task_of_several_cores_waits_for_all_of_them() -> None:
    wide = _workload(100.0, frames=2, threads=2, cores_per_task=2)
    assert simulate(2, [wide])[-1].ended == pytest.approx(100.0 + 2 * 100.0)


def test_a_run_of_some_time_prepares_no_frame_after_it() -> None:
    frames = simulate(1, [_workload(300.0, frames=0)], until_us=10_000.0)
    assert len(frames) == 25
    assert max(frame.prepared for frame in frames) < 10_000.0


def test_warmup_frames_come_first_and_beyond_the_others() -> None:
    frames = simulate(1, [_workload(300.0, threads=3, frames=10, warmup_frames=1)])
    assert [frame.warmup for frame in frames] == [True] * 3 + [False] * 10
    assert sorted(frame.number for frame in frames if not frame.warmup) == list(range(10))


def test_a_model_without_work_for_the_bpu_takes_its_launch() -> None:
    frames = simulate(1, [_workload(frames=3)])
    assert [frame.latency_us for frame in frames] == pytest.approx([100.0] * 3)


@given(
    calls=st.lists(st.floats(0.5, 500.0), min_size=1, max_size=4),
    threads=st.integers(1, 6),
    frames=st.integers(1, 20),
    cores=st.integers(1, 4),
    priority=st.sampled_from([0, 7, 253, 254, 255]),
)
def test_every_frame_runs_all_its_calls_once_and_cores_are_not_overbooked(
    calls: list[float], threads: int, frames: int, cores: int, priority: int
) -> None:
    loads = [
        _workload(*calls, threads=threads, frames=frames),
        _workload(*calls[:1], threads=2, frames=frames, priority=priority),
    ]
    result = simulate(cores, loads)
    for number, workload in enumerate(loads):
        mine = _of(result, number)
        assert sorted(frame.number for frame in mine) == list(range(frames))
        for frame in mine:
            assert frame.call_us == pytest.approx([c.busy_us[0] for c in workload.calls])
            assert frame.latency_us >= workload.launch_us + sum(frame.call_us) - 1e-6
    work = sum(sum(frame.call_us) for frame in result)
    assert max(frame.ended for frame in result) >= 100.0 + work / cores - 1e-6


def test_costs_are_those_of_the_timeline() -> None:
    program = tiled_convolution()
    graph = program.graphs[0]
    for march in ("nash-e", "nash-p"):
        machine = load_march(march)
        (cost,) = call_costs(machine, program, graph)
        assert len(cost.busy_us) == machine.cores
        for copies, us in enumerate(cost.busy_us, 1):
            played = play(machine, program, graph, copies)
            assert us == pytest.approx(frame_microseconds(machine, played))
        assert list(cost.busy_us) == sorted(cost.busy_us)
