"""Bounds and points of the roofline."""

from __future__ import annotations

import pytest

from hbir.backend.march import load_march
from hbir.backend.timeline import play
from hbir.reports.roofline import Roof, RooflinePoint, roof_of, roofline_points
from tests.unit.runtime.programs import tiled_convolution

MACHINE = load_march("nash-e")


def test_the_bound_is_bandwidth_below_the_ridge_and_peak_above() -> None:
    roof = Roof(peak_tops=10.0, bandwidth_gb_per_s=50.0)
    assert roof.attainable_tops(100) == pytest.approx(5.0)
    assert roof.attainable_tops(200) == pytest.approx(10.0)
    assert roof.attainable_tops(1000) == pytest.approx(10.0)


def test_peak_counts_two_operations_per_mac_and_all_cores() -> None:
    one, two = roof_of(MACHINE, 1), roof_of(MACHINE, 2)
    macs_per_second = MACHINE.tae.macs_per_pass * MACHINE.clock_ghz * 1e9
    assert one.peak_tops == pytest.approx(2 * macs_per_second / MACHINE.tae.passes_int8_int8 / 1e12)
    assert two.peak_tops == pytest.approx(2 * one.peak_tops)
    assert one.bandwidth_gb_per_s == two.bandwidth_gb_per_s == MACHINE.ddr.bandwidth_gb_per_s


def test_a_layer_is_a_point_by_its_bytes_and_time() -> None:
    program = tiled_convolution()
    graph = program.graphs[0]
    timeline = play(MACHINE, program, graph)
    operations = 2 * 8 * 8 * 16 * 3 * 3 * 8
    (point,) = roofline_points(MACHINE, graph, timeline, [operations])
    assert point.ddr_bytes == timeline.instructions["ddr_bytes"].sum()
    assert point.time_us == pytest.approx(MACHINE.microseconds(timeline.cycles))
    assert point.intensity == pytest.approx(operations / point.ddr_bytes)
    roof = roof_of(MACHINE, program.cores)
    assert 0 < point.tops <= roof.attainable_tops(point.intensity)


def test_layers_without_operations_have_no_point() -> None:
    program = tiled_convolution()
    timeline = play(MACHINE, program, program.graphs[0])
    assert roofline_points(MACHINE, program.graphs[0], timeline, [0]) == []
    assert RooflinePoint(0, 0, 0, 0.0).tops == 0.0
