"""Residents of on-chip memory: when they begin and end, and where they lie."""

from __future__ import annotations

import numpy as np

from hbir.backend.isa.enums import Engine
from hbir.backend.march import load_march
from hbir.backend.timeline import Timeline, play
from hbir.reports.memory_map import Resident, extent_bytes, memory_map
from tests.unit.runtime.programs import LANES_BYTES, tiled_convolution

MACHINE = load_march("nash-e")
PROGRAM = tiled_convolution()
GRAPH = PROGRAM.graphs[0]
TIMELINE = play(MACHINE, PROGRAM, GRAPH)
RESIDENTS = memory_map(PROGRAM, GRAPH, TIMELINE)


def _at(base: int) -> list[Resident]:
    return [resident for resident in RESIDENTS if resident.base == base]


def _played(timeline: Timeline, engine: Engine) -> list[tuple[float, float]]:
    rows = timeline.instructions[timeline.instructions["engine"] == int(engine)]
    return list(zip(rows["start"].tolist(), rows["end"].tolist(), strict=True))


def test_every_buffer_is_there_once() -> None:
    # Weights, their parameters, two input tiles and two output tiles.
    assert [r.base for r in RESIDENTS] == [0, 2048, 4096, 8192, 16384, 20480]
    assert {(r.space, r.core, r.layer) for r in RESIDENTS} == {("l1", 0, 0)}


def test_weights_are_held_from_their_load_to_the_last_convolution() -> None:
    (weights,) = _at(0)
    loads, convolutions = _played(TIMELINE, Engine.LOAD), _played(TIMELINE, Engine.TAE)
    assert weights.size_bytes == 16 * 3 * 3 * 8
    assert (weights.start, weights.end) == (loads[0][0], convolutions[-1][1])


def test_an_output_tile_is_held_until_it_is_stored() -> None:
    (first,), (second,) = _at(16384), _at(20480)
    convolutions, stores = _played(TIMELINE, Engine.TAE), _played(TIMELINE, Engine.STORE)
    assert (first.start, first.end) == (convolutions[0][0], stores[0][1])
    assert (second.start, second.end) == (convolutions[1][0], stores[1][1])
    # Four rows of eight pixels, sixteen channels padded to the lanes.
    assert first.size_bytes == 4 * 8 * LANES_BYTES


def test_a_ring_takes_all_its_rows() -> None:
    records = PROGRAM.descriptors[:1].copy()
    records["rank"], records["dtype"], records["padding_bytes"] = 4, 0, 0
    records["shape"][0, :4], records["strides"][0, :4] = (1, 2, 3, 8), (0, 24, 8, 1)
    records["shape"][0, 4:], records["strides"][0, 4:] = 0, 0
    records["ring_rows"] = 0
    assert extent_bytes(records).tolist() == [2 * 24]
    records["ring_rows"] = 5
    assert extent_bytes(records).tolist() == [5 * 24]


def test_nothing_lies_outside_the_memory() -> None:
    ends = np.array([r.base + r.size_bytes for r in RESIDENTS])
    assert ends.max() <= PROGRAM.l1_bytes
    assert all(r.start < r.end <= TIMELINE.cycles for r in RESIDENTS)
