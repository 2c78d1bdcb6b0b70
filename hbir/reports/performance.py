"""The static performance of a graph as the published JSON, from the timeline.

Keys are those of the vendor's `<graph>.json`; beside each string stands a numeric twin with its
unit in the key. Times are the timeline's: a single run of the graph with the BPU to itself, and
what starting its function calls costs. CPU calls take no time here, and are named in "cpu ops".
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.backend.instruction_cycles import DescriptorFeatures
from hbir.backend.isa.enums import Engine
from hbir.backend.isa.program import BpuSegment, CpuSegment, Graph, Program
from hbir.backend.march import Machine
from hbir.backend.timeline import (
    Timeline,
    busy_cycles,
    frame_microseconds,
    layer_cycles,
)

Json = dict[str, Any]
Reals = npt.NDArray[np.float64]

MAX_INTERVALS = 100
MEGABYTE = 1e6

INSTRUCTION_TYPES = {engine: engine.name for engine in Engine}
"""`inst_type` of each engine's instructions."""

MAC_KEYS = {
    (1, 1): "double int8 macs",
    (2, 2): "double int16 macs",
    (2, 1): "feature int16 weight int8 macs",
    (1, 2): "feature int8 weight int16 macs",
}
"""(feature bytes, weight bytes) → key of "model info"; "double" says both are of that type."""


def performance_report(
    machine: Machine, program: Program, graph: Graph, timeline: Timeline
) -> Json:
    """The report of one graph from its played timeline; nothing is executed."""
    features = DescriptorFeatures(machine, program)
    layers = _layers(machine, graph, timeline, _layer_operations(features, graph))
    return {
        "summary": {
            "performance": _performance(machine, graph, timeline),
            "DDR access data": _ddr(program, graph, timeline),
            "interval info": _intervals(machine, timeline),
            "layer details": layers,
            "model info": _model_info(machine, program, graph, features),
        },
        "coreSummaryGroup": _cores(machine, program, timeline),
        "details": _details(machine, program, graph, timeline),
    }


def _performance(machine: Machine, graph: Graph, timeline: Timeline) -> Json:
    played_us = machine.microseconds(timeline.cycles)
    latency_us = frame_microseconds(machine, timeline)
    return {
        "FPS": round(1e6 / latency_us, 3) if latency_us else 0.0,
        "latency (us)": round(latency_us, 3),
        "latency (ms)": round(latency_us / 1000, 6),
        "latency (us) by segments": [
            round(machine.microseconds(cycles), 3) for cycles in timeline.segment_cycles
        ],
        "cycles": round(timeline.cycles, 3),
        "function call overhead (us)": round(latency_us - played_us, 3),
        "launch overhead (us)": round(machine.launch_us(graph.io_bytes), 3),
    }


def _ddr(program: Program, graph: Graph, timeline: Timeline) -> Json:
    rows = timeline.instructions
    loaded = int(rows["ddr_bytes"][rows["engine"] == Engine.LOAD].sum())
    stored = int(rows["ddr_bytes"][rows["engine"] == Engine.STORE].sum())
    inputs = sum(tensor.buffer_bytes for tensor in graph.inputs)
    outputs = sum(tensor.buffer_bytes for tensor in graph.outputs)
    static = _static_bytes(program)
    dynamic = inputs + outputs + graph.workspace_bytes
    memory = {
        "min memory requirement": static + dynamic,
        "input memory": inputs,
        "output memory": outputs,
        "static memory": static,
        "dynamic memory": dynamic,
        "intermediate memory": graph.workspace_bytes,
        "temporary memory": 0,
    }
    report: Json = {
        "DDR megabytes per run": round((loaded + stored) / MEGABYTE, 6),
        "DDR bytes per run": loaded + stored,
        "L2M bytes per run": 0,
        "loaded bytes per run": loaded,
        "stored bytes per run": stored,
    }
    for key, value in memory.items():
        report[key] = size_text(value)
        report[f"{key} (bytes)"] = value
    return report


def _static_bytes(program: Program) -> int:
    """Constants and instructions, which stay in memory between runs."""
    instructions = sum(
        queue.nbytes
        for graph in program.graphs
        for call in graph.calls()
        for queue in call.queues.values()
    )
    tables = program.descriptors.nbytes + program.parameters.nbytes + program.waits.nbytes
    return len(program.constants) + instructions + tables


def _intervals(machine: Machine, timeline: Timeline) -> Json:
    """Time cut into equal intervals: how busy the tensor engine and the DDR are in each."""
    rows = timeline.instructions
    count = min(MAX_INTERVALS, max(1, len(rows)))
    total = timeline.cycles
    width = total / count if total else 1.0
    seconds = machine.microseconds(width) / 1e6
    cores = max(1, len(np.unique(rows["core"])))

    def spread(engine: Engine, amount: Reals) -> Reals:
        mine = rows["engine"] == engine
        return _spread(rows["start"][mine], rows["end"][mine], amount[mine], width, count)

    elapsed = rows["end"] - rows["start"]
    transferred = rows["ddr_bytes"].astype(np.float64)
    busy = spread(Engine.TAE, elapsed) / (width * cores)
    loads, stores = spread(Engine.LOAD, transferred), spread(Engine.STORE, transferred)
    return {
        "interval number": count,
        "interval time (ms)": round(machine.microseconds(width) / 1000, 9),
        "interval computing unit utilization": np.minimum(busy, 1.0).round(6).tolist(),
        "interval ddr loading bandwidth (megabytes/s)": _rate(loads, seconds),
        "interval ddr storing bandwidth (megabytes/s)": _rate(stores, seconds),
    }


def _rate(moved: Reals, seconds: float) -> list[float]:
    return (moved / MEGABYTE / seconds).round(3).tolist() if seconds else moved.tolist()


def _spread(start: Reals, end: Reals, amount: Reals, width: float, count: int) -> Reals:
    """`amount` of each [start, end) laid evenly over intervals of `width`."""
    edges = np.arange(count + 1) * width
    # The amount before each edge, summed over all: each ramps from 0 to its whole.
    before = np.zeros(count + 1)
    for first, last, value in zip(start, end, amount, strict=True):
        before += value * np.clip((edges - first) / max(last - first, 1e-12), 0.0, 1.0)
    return np.diff(before)


def _layer_operations(features: DescriptorFeatures, graph: Graph) -> npt.NDArray[np.int64]:
    """Arithmetic operations per layer: 2 per multiply-accumulate, padding not counted."""
    operations = np.zeros(max(1, len(graph.layers)), np.int64)
    for call in graph.calls():
        for queue in call.queues.values():
            macs = features.macs(queue)
            np.add.at(operations, macs["layer"], 2 * macs["macs"])
    return operations


def _layers(
    machine: Machine, graph: Graph, timeline: Timeline, operations: npt.NDArray[np.int64]
) -> list[Json]:
    cycles = layer_cycles(timeline, max(1, len(graph.layers)))
    us = {key: values / (machine.clock_ghz * 1000) for key, values in cycles.items()}
    total = machine.microseconds(timeline.cycles)
    return [
        {
            "layer name": layer_name(layer.name, i),
            "ops": int(operations[i]),
            "computing cost (no DDR)": cost_text(us["compute"][i], total),
            "load cost": cost_text(us["load"][i], total),
            "store cost": cost_text(us["store"][i], total),
            "active period of time": period_text(us["start"][i], us["end"][i]),
            "origin ops": list(layer.origin_ops),
            "kind": layer.kind,
            "computing cost (us)": round(float(us["compute"][i]), 3),
            "load cost (us)": round(float(us["load"][i]), 3),
            "store cost (us)": round(float(us["store"][i]), 3),
            "active period start (us)": round(float(us["start"][i]), 3),
            "active period end (us)": round(float(us["end"][i]), 3),
        }
        for i, layer in enumerate(graph.layers)
    ]


def layer_name(name: str, number: int) -> str:
    """`conv1_id_3`, as the published tables number layers: one tensor may have several."""
    return f"{name}_id_{number}"


def cost_text(us: float, total_us: float) -> str:
    """A cost as the published tables print it: `23 us (2.9% of model)`, `<1 us`, `0`."""
    if us <= 0:
        return "0"
    if us < 1:
        return "<1 us"
    share = 100 * us / total_us if total_us else 0.0
    return f"{us:.0f} us ({share:.1f}% of model)"


def period_text(start_us: float, end_us: float) -> str:
    """A period as the published tables print it: `1 ~ 22 us (21)`."""
    return f"{start_us:.0f} ~ {end_us:.0f} us ({end_us - start_us:.0f})"


def size_text(size_bytes: int) -> str:
    """Bytes for reading: `26.35 MB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if size_bytes >= scale:
            return f"{size_bytes / scale:.2f} {unit}"
    return f"{size_bytes} B"


def _model_info(
    machine: Machine, program: Program, graph: Graph, features: DescriptorFeatures
) -> Json:
    macs: Counter[str] = Counter(dict.fromkeys(MAC_KEYS.values(), 0))
    for call in graph.calls():
        for queue in call.queues.values():
            work = features.macs(queue)
            for (feature, weight), key in MAC_KEYS.items():
                mine = (work["feature_bytes"] == feature) & (work["weight_bytes"] == weight)
                macs[key] += int(work["macs"][mine].sum())
    options = program.information.get("options", {})
    return {
        "BPU march": machine.name,
        "BPU core number": program.cores,
        "compiling HBDK version": str(program.information.get("version", "")),
        "compiling options": " ".join(f"{key}={value}" for key, value in options.items()),
        **macs,
        "original conv ops": 2 * sum(macs.values()),
        "cpu ops": [s.signature for s in graph.segments if isinstance(s, CpuSegment)],
        "bpu segments": sum(isinstance(s, BpuSegment) for s in graph.segments),
        "march numbers": _origins(machine),
    }


def _origins(machine: Machine) -> Json:
    """How many of the march's numbers are published, fitted and assumed."""
    counts = Counter(provenance.origin for provenance in machine.provenance.values())
    return {origin: counts[origin] for origin in ("published", "fitted", "assumed")}


def _cores(machine: Machine, program: Program, timeline: Timeline) -> list[Json]:
    rows = timeline.instructions
    groups: list[Json] = []
    for core in range(program.cores):
        mine = Timeline(rows[rows["core"] == core], timeline.segment_cycles)
        total = timeline.cycles
        busy = busy_cycles(mine, machine)
        groups.append(
            {
                "core": core,
                "instructions": len(mine.instructions),
                "working time (us)": {
                    engine: round(machine.microseconds(cycles), 3)
                    for engine, cycles in busy.items()
                },
                "utilization": {
                    engine: round(cycles / total, 6) if total else 0.0
                    for engine, cycles in busy.items()
                },
            }
        )
    return groups


def _details(
    machine: Machine, program: Program, graph: Graph, timeline: Timeline
) -> list[list[Json]]:
    """Every instruction, by core, in the order of their starts."""
    rows = timeline.instructions[np.argsort(timeline.instructions["start"], kind="stable")]
    names = [layer_name(layer.name, i) for i, layer in enumerate(graph.layers)] or [""]
    engines = list(Engine)
    details = [list[Json]() for _ in range(program.cores)]
    for row in rows.tolist():
        core: int = row[2]
        _, _, _, engine, _, _, layer, start, end, _, _ = row
        details[core].append(
            {
                "inst_type": INSTRUCTION_TYPES[engines[engine]],
                "source_layer_names": [names[layer]],
                "start_time (us)": round(machine.microseconds(start), 3),
                "working_time (us)": round(machine.microseconds(end - start), 3),
            }
        )
    return details
