"""The report has the published keys, and its numbers agree with each other and the timeline."""

import json

import pytest

from hbir.backend.isa.program import Program
from hbir.backend.march import load_march
from hbir.backend.timeline import play
from hbir.reports.performance import (
    Json,
    cost_text,
    performance_report,
    period_text,
    size_text,
)
from tests.unit.runtime.programs import split_convolution, tiled_convolution

MACHINE = load_march("nash-e")
PROGRAM = tiled_convolution()


def _report(program: Program) -> Json:
    graph = program.graphs[0]
    return performance_report(MACHINE, program, graph, play(MACHINE, program, graph))


REPORT = _report(PROGRAM)
SUMMARY = REPORT["summary"]

KEYS = {
    "performance": {"FPS", "latency (us)", "latency (ms)", "latency (us) by segments"},
    "DDR access data": {
        "DDR megabytes per run",
        "DDR bytes per run",
        "L2M bytes per run",
        "loaded bytes per run",
        "stored bytes per run",
        "min memory requirement",
        "input memory",
        "output memory",
        "static memory",
        "dynamic memory",
        "intermediate memory",
        "temporary memory",
    },
    "interval info": {
        "interval number",
        "interval time (ms)",
        "interval computing unit utilization",
        "interval ddr loading bandwidth (megabytes/s)",
        "interval ddr storing bandwidth (megabytes/s)",
    },
    "model info": {
        "BPU march",
        "BPU core number",
        "compiling HBDK version",
        "compiling options",
        "double int8 macs",
        "double int16 macs",
        "feature int16 weight int8 macs",
        "feature int8 weight int16 macs",
        "original conv ops",
    },
}
LAYER_KEYS = {
    "layer name",
    "active period of time",
    "computing cost (no DDR)",
    "load cost",
    "store cost",
    "origin ops",
}


@pytest.mark.parametrize("section", KEYS)
def test_the_published_keys_are_there(section: str) -> None:
    assert KEYS[section] <= SUMMARY[section].keys()


def test_the_report_has_the_published_form() -> None:
    assert REPORT.keys() == {"summary", "coreSummaryGroup", "details"}
    assert SUMMARY.keys() == {*KEYS, "layer details"}
    assert len(REPORT["coreSummaryGroup"]) == len(REPORT["details"]) == 1
    for layer in SUMMARY["layer details"]:
        assert layer.keys() >= LAYER_KEYS
    for instruction in REPORT["details"][0]:
        assert instruction.keys() == {
            "inst_type",
            "source_layer_names",
            "start_time (us)",
            "working_time (us)",
        }
    assert json.loads(json.dumps(REPORT)) == REPORT


def test_times_are_those_of_the_timeline() -> None:
    timeline = play(MACHINE, PROGRAM, PROGRAM.graphs[0])
    us = timeline.cycles / 1000 / MACHINE.clock_ghz
    performance = SUMMARY["performance"]
    started_us = MACHINE.call_overhead_us
    assert performance["latency (us)"] == pytest.approx(us + started_us, abs=1e-3)
    assert performance["function call overhead (us)"] == pytest.approx(started_us, abs=1e-3)
    assert performance["FPS"] == pytest.approx(1e6 / (us + started_us), rel=1e-6)
    assert performance["latency (us) by segments"] == pytest.approx([us], abs=1e-3)
    instructions = REPORT["details"][0]
    assert len(instructions) == 8
    ends = [i["start_time (us)"] + i["working_time (us)"] for i in instructions]
    assert max(ends) == pytest.approx(us, abs=2e-3)
    assert {i["inst_type"] for i in instructions} == {"LOAD", "STORE", "TAE"}


def test_traffic_adds_up() -> None:
    ddr = SUMMARY["DDR access data"]
    # weights, qpp, and the input in two tiles that share two rows; outputs
    loaded = 1152 + 192 + 2 * 5 * 64
    assert ddr["loaded bytes per run"] == loaded
    assert ddr["stored bytes per run"] == 1024
    assert ddr["DDR bytes per run"] == loaded + 1024
    intervals = SUMMARY["interval info"]
    seconds = intervals["interval time (ms)"] / 1000
    for direction, moved in (("loading", loaded), ("storing", 1024)):
        rates = intervals[f"interval ddr {direction} bandwidth (megabytes/s)"]
        assert len(rates) == intervals["interval number"]
        assert sum(rates) * seconds * 1e6 == pytest.approx(moved, rel=1e-3)
    assert all(0 <= u <= 1 for u in intervals["interval computing unit utilization"])
    assert max(intervals["interval computing unit utilization"]) > 0


@pytest.mark.parametrize("program", [PROGRAM, split_convolution()])
def test_multiply_accumulates_do_not_depend_on_tiles_and_splits(program: object) -> None:
    from hbir.backend.isa.program import Program

    assert isinstance(program, Program)
    report = _report(program)
    macs = 8 * 8 * 16 * 3 * 3 * 8
    info = report["summary"]["model info"]
    assert info["double int8 macs"] == macs
    assert info["original conv ops"] == 2 * macs
    assert sum(layer["ops"] for layer in report["summary"]["layer details"]) == 2 * macs


def test_texts_are_as_published() -> None:
    assert cost_text(23.0, 793.0) == "23 us (2.9% of model)"
    assert cost_text(0.4, 793.0) == "<1 us"
    assert cost_text(0.0, 793.0) == "0"
    assert period_text(1.2, 22.4) == "1 ~ 22 us (21)"
    assert [size_text(n) for n in (12, 1500, 26_350_000)] == ["12 B", "1.50 KB", "26.35 MB"]
