"""The timeline as a trace for Perfetto (ui.perfetto.dev) and Chrome (about:tracing).

The format is Chrome's Trace Event Format, JSON: a process per core with a thread per engine, an
event per instruction, and a counter of the DDR bandwidth.
"""

from __future__ import annotations

import json
from typing import Any

from hbir.backend.isa.enums import Engine
from hbir.backend.isa.program import CpuSegment, Graph, Program
from hbir.backend.isa.table import BY_NUMBER
from hbir.backend.march import Machine
from hbir.backend.timeline import Timeline
from hbir.reports.bandwidth import bandwidth_steps
from hbir.reports.performance import layer_name

Event = dict[str, Any]

DDR_PROCESS = 1000
"""Process number of the DDR's counter, beyond any core's."""


def trace(machine: Machine, program: Program, graph: Graph, timeline: Timeline) -> str:
    """The trace of one graph as JSON text. Times are microseconds from the graph's start."""
    names = [layer_name(layer.name, i) for i, layer in enumerate(graph.layers)] or [""]
    document: dict[str, Any] = {
        "displayTimeUnit": "ns",
        "otherData": {
            "graph": graph.name,
            "march": machine.name,
            "cpu ops (not timed)": [
                s.signature for s in graph.segments if isinstance(s, CpuSegment)
            ],
        },
        "traceEvents": [
            *_headings(program, timeline),
            *_instructions(machine, timeline, names),
            *_ddr(machine, timeline),
        ],
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n"


def _headings(program: Program, timeline: Timeline) -> list[Event]:
    present = {int(engine) for engine in timeline.instructions["engine"]}
    events: list[Event] = []
    for core in range(program.cores):
        events.append(_heading("process_name", core, 0, f"core {core}"))
        for engine in Engine:
            if engine in present:
                events.append(_heading("thread_name", core, int(engine), engine.name))
                order = {"sort_index": int(engine)}
                events.append(
                    {
                        "ph": "M",
                        "name": "thread_sort_index",
                        "pid": core,
                        "tid": int(engine),
                        "args": order,
                    }
                )
    events.append(_heading("process_name", DDR_PROCESS, 0, "DDR"))
    return events


def _heading(kind: str, process: int, thread: int, name: str) -> Event:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _instructions(machine: Machine, timeline: Timeline, names: list[str]) -> list[Event]:
    events: list[Event] = []
    for row in timeline.instructions.tolist():
        segment, call, core, engine, position, opcode, layer, start, end, work, ddr_bytes = row
        arguments: Event = {
            "layer": names[layer],
            "segment": segment,
            "function call": call,
            "position in queue": position,
            "cycles alone": round(work, 3),
        }
        if ddr_bytes:
            arguments["DDR bytes"] = ddr_bytes
        events.append(
            {
                "ph": "X",
                "name": f"{BY_NUMBER[opcode].mnemonic} {names[layer]}",
                "cat": Engine(engine).name,
                "pid": core,
                "tid": engine,
                "ts": round(machine.microseconds(start), 6),
                "dur": round(machine.microseconds(end - start), 6),
                "args": arguments,
            }
        )
    return events


def _ddr(machine: Machine, timeline: Timeline) -> list[Event]:
    steps = bandwidth_steps(machine, timeline)
    return [
        {
            "ph": "C",
            "name": "DDR GB/s",
            "pid": DDR_PROCESS,
            "ts": round(time_us, 6),
            "args": {"load": round(load, 3), "store": round(store, 3)},
        }
        for time_us, load, store in zip(
            steps.time_us.tolist(), steps.load.tolist(), steps.store.tolist(), strict=True
        )
    ]
