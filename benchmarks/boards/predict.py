"""What the timeline says of a graph, and which engines that time is spent on.

`compiled` compiles a graph, `played` plays it: milliseconds per frame, split along the critical
path into parts that scale with one number of the march each. To first order the time is then
linear in the inverse of those numbers, which is what `fit` solves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.boards.graphs import quantized
from hbir.backend.isa.enums import Engine
from hbir.backend.isa.program import Program
from hbir.backend.march import Machine, load_march
from hbir.backend.timeline import Timeline, frame_microseconds, play
from hbir.compiler import compile_program

PARTS = ("tae", "vae", "aae", "trans", "vpu", "ddr", "latency", "call")
"""tae, vae, aae, trans, vpu: those engines; ddr: bytes on their way; latency: of transfers; call:
starting function calls."""

_ENGINE_PARTS = {
    Engine.TAE: "tae", Engine.VAE: "vae", Engine.AAE: "aae", Engine.TRANS: "trans",
    Engine.VPU: "vpu", Engine.SPU: "vpu",
}  # fmt: skip

OPT = 2


@dataclass(frozen=True)
class Prediction:
    """Milliseconds per frame and core with every core busy, and their parts; one core's alone.

    io_bytes: of a frame's inputs and outputs in DDR, which the host hands over.
    """

    bpu_ms: float
    parts: Mapping[str, float]
    alone_ms: float
    io_bytes: int = 0

    def latency_ms(self, machine: Machine) -> float:
        """Of a frame that one thread starts."""
        return self.alone_ms + machine.launch_us(self.io_bytes) / 1000.0

    def rate_ms(self, machine: Machine, in_flight: float) -> float:
        """Between frames of a core for which `in_flight` threads start one after the other."""
        return max(self.bpu_ms, self.latency_ms(machine) / in_flight)


def compiled(graph: str, march: str) -> Program:
    """The program of a graph for a march or a march file, at O2."""
    return compile_program(quantized(graph), march, OPT)


def predict(machine: Machine, program: Program) -> Prediction:
    """Play a program of one graph on all cores at once, and on one."""
    graph = program.graphs[0]
    together = play(machine, program, graph, frames=machine.cores)
    alone = together if machine.cores == 1 else play(machine, program, graph)
    return Prediction(
        frame_microseconds(machine, together) / 1000.0,
        critical_parts(machine, together),
        frame_microseconds(machine, alone) / 1000.0,
        graph.io_bytes,
    )


def critical_parts(machine: Machine, timeline: Timeline) -> dict[str, float]:
    """Milliseconds of each part along the critical path: from what ends last back to the start,
    always through an instruction whose end let the next one begin."""
    rows = timeline.instructions
    parts: dict[str, float] = dict.fromkeys(PARTS, 0.0)
    if not len(rows):
        return parts
    order = np.argsort(rows["end"], kind="stable")
    ends, starts = rows["end"][order], rows["start"][order]
    engines = rows["engine"][order]
    latency = float(machine.ddr.transfer_latency_cycles)
    at = len(order) - 1
    while at >= 0:
        start, end = float(starts[at]), float(ends[at])
        duration = end - start
        engine = Engine(int(engines[at]))
        if engine in (Engine.LOAD, Engine.STORE):
            parts["latency"] += min(latency, duration)
            parts["ddr"] += max(0.0, duration - latency)
        else:
            parts[_ENGINE_PARTS[engine]] += duration
        # Of what ended when this began; instructions are played without gaps between the two.
        before = int(np.searchsorted(ends[:at], start * (1 + _ROUNDING), side="right")) - 1
        at = before if start > 0 else -1
    per_cycle = machine.microseconds(1.0) / 1000.0
    calls = len(np.unique(rows[["segment", "call"]]))
    result = {part: cycles * per_cycle for part, cycles in parts.items()}
    result["call"] = calls * machine.call_overhead_us / 1000.0
    return result


_ROUNDING = 1e-9


def scaled(machine: Machine, factors: Mapping[str, float]) -> Machine:
    """`machine` with each part's time multiplied by its factor."""

    def factor(part: str) -> float:
        return factors.get(part, 1.0)

    tae = machine.tae
    passes = {
        name: getattr(tae, name) * factor("tae")
        for name in (f"passes_{x}_{w}" for x in ("int8", "int16") for w in ("int8", "int16"))
    }
    vector = {
        name: dataclasses.replace(
            engine, bytes_per_cycle=engine.bytes_per_cycle / factor(name.lower())
        )
        for name, engine in machine.vector.items()
    }
    # What bounds transfers: the port of a core that is alone, the DDR of several.
    bound = "core_bandwidth_gb_per_s" if machine.cores == 1 else "bandwidth_gb_per_s"
    slower = {bound: getattr(machine.ddr, bound) / factor("ddr")}
    ddr = dataclasses.replace(machine.ddr, **slower)
    return dataclasses.replace(
        machine,
        tae=dataclasses.replace(tae, **passes),
        vector=vector,
        ddr=ddr,
        call_overhead_us=machine.call_overhead_us * factor("call"),
    )


__all__ = ["PARTS", "Prediction", "compiled", "critical_parts", "load_march", "predict", "scaled"]
