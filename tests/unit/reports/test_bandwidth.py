"""Bandwidth steps move exactly the bytes of the timeline."""

from __future__ import annotations

import numpy as np
import pytest

from hbir.backend.isa.enums import Engine
from hbir.backend.march import load_march
from hbir.backend.timeline import TIMELINE_DTYPE, Timeline, play
from hbir.reports.bandwidth import BandwidthSteps, bandwidth_steps
from tests.unit.runtime.programs import tiled_convolution

MACHINE = load_march("nash-e")


def _timeline(*transfers: tuple[Engine, float, float, int]) -> Timeline:
    rows = np.zeros(len(transfers), TIMELINE_DTYPE)
    for row, (engine, start, end, ddr_bytes) in zip(rows, transfers, strict=True):
        row["engine"], row["start"], row["end"], row["ddr_bytes"] = engine, start, end, ddr_bytes
    return Timeline(rows, (float(rows["end"].max()),))


def _moved(steps: BandwidthSteps) -> tuple[float, float]:
    """Bytes loaded and stored: GB/s · µs are thousands of bytes."""
    elapsed = np.diff(steps.time_us)
    return (
        1e3 * float((steps.load[:-1] * elapsed).sum()),
        1e3 * float((steps.store[:-1] * elapsed).sum()),
    )


def test_overlapping_transfers_add_up() -> None:
    steps = bandwidth_steps(
        MACHINE, _timeline((Engine.LOAD, 0, 100, 1000), (Engine.LOAD, 50, 150, 2000))
    )
    per_cycle = steps.load / MACHINE.clock_ghz
    np.testing.assert_allclose(per_cycle, [10, 30, 20, 0])
    np.testing.assert_allclose(steps.time_us * MACHINE.clock_ghz * 1000, [0, 50, 100, 150])
    assert not steps.store.any()


def test_a_program_moves_its_bytes() -> None:
    program = tiled_convolution()
    timeline = play(MACHINE, program, program.graphs[0])
    rows = timeline.instructions
    expected = tuple(
        rows["ddr_bytes"][rows["engine"] == int(e)].sum() for e in (Engine.LOAD, Engine.STORE)
    )
    steps = bandwidth_steps(MACHINE, timeline)
    assert _moved(steps) == pytest.approx(expected, rel=1e-6)
    total = MACHINE.microseconds(timeline.cycles)
    for count in (1, 7, 400):
        averaged = steps.averaged(total, count)
        assert len(averaged.time_us) == count + 1
        assert _moved(averaged) == pytest.approx(expected, rel=1e-6)


def test_a_timeline_without_transfers_is_flat() -> None:
    steps = bandwidth_steps(MACHINE, _timeline((Engine.TAE, 0, 10, 0)))
    assert steps.load.tolist() == steps.store.tolist() == [0.0]
    assert not steps.averaged(1.0, 4).load.any()
