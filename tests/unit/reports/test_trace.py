"""The trace: every instruction once, on the thread of its engine, at the timeline's times."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hbir.backend.isa.enums import Engine
from hbir.backend.march import load_march
from hbir.backend.timeline import play
from hbir.reports.trace import DDR_PROCESS, trace
from tests.unit.runtime.programs import tiled_convolution

MACHINE = load_march("nash-e")
PROGRAM = tiled_convolution()
GRAPH = PROGRAM.graphs[0]
TIMELINE = play(MACHINE, PROGRAM, GRAPH)
TEXT = trace(MACHINE, PROGRAM, GRAPH, TIMELINE)
EVENTS: list[dict[str, Any]] = json.loads(TEXT)["traceEvents"]


def test_instructions_are_complete_events_on_their_engine() -> None:
    events = [event for event in EVENTS if event["ph"] == "X"]
    rows = TIMELINE.instructions
    assert len(events) == len(rows)
    for event, row in zip(events, rows, strict=True):
        assert (event["pid"], event["tid"], event["cat"]) == (
            row["core"],
            row["engine"],
            Engine(row["engine"]).name,
        )
        assert event["ts"] == pytest.approx(MACHINE.microseconds(row["start"]), abs=1e-6)
        assert event["dur"] == pytest.approx(
            MACHINE.microseconds(row["end"] - row["start"]), abs=2e-6
        )
        assert event["args"].get("DDR bytes", 0) == row["ddr_bytes"]
    assert events[0]["name"] == "load conv_id_0"


def test_cores_and_engines_have_names() -> None:
    names = {
        (e["name"], e["pid"], e["tid"]): e["args"]["name"]
        for e in EVENTS
        if e["ph"] == "M" and "name" in e["args"]
    }
    assert names["process_name", 0, 0] == "core 0"
    assert names["process_name", DDR_PROCESS, 0] == "DDR"
    for engine in (Engine.LOAD, Engine.TAE, Engine.STORE):
        assert names["thread_name", 0, int(engine)] == engine.name
    assert ("thread_name", 0, int(Engine.SPU)) not in names


def test_the_bandwidth_is_a_counter_that_ends_at_zero() -> None:
    counters = [event for event in EVENTS if event["ph"] == "C"]
    assert counters[0]["ts"] == 0
    assert counters[-1]["args"] == {"load": 0, "store": 0}
    assert max(event["args"]["load"] for event in counters) > 0


def test_the_same_program_gives_the_same_text() -> None:
    assert trace(MACHINE, PROGRAM, GRAPH, play(MACHINE, PROGRAM, GRAPH)) == TEXT
