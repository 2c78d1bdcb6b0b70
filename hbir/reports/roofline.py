"""The roofline: what each layer reaches of the machine's peak, and which bound it is under.

Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009: attainable = min(peak, intensity ·
bandwidth), intensity being operations per DDR byte.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbir.backend.isa.program import Graph
from hbir.backend.march import Machine
from hbir.backend.timeline import Timeline


@dataclass(frozen=True)
class Roof:
    """The machine's bounds: int8 operations (2 per multiply-accumulate) and DDR bandwidth."""

    peak_tops: float
    bandwidth_gb_per_s: float

    def attainable_tops(self, intensity: float) -> float:
        """The bound at `intensity` operations per DDR byte."""
        return min(self.peak_tops, intensity * self.bandwidth_gb_per_s / 1000.0)


@dataclass(frozen=True)
class RooflinePoint:
    """A layer with multiply-accumulates. time_us: from its first instruction to its last."""

    layer: int
    operations: int
    ddr_bytes: int
    time_us: float

    @property
    def intensity(self) -> float:
        """Operations per DDR byte; of a layer that moves none, per one byte."""
        return self.operations / max(1, self.ddr_bytes)

    @property
    def tops(self) -> float:
        """Operations per second reached, in 10¹²."""
        return self.operations / self.time_us / 1e6 if self.time_us else 0.0


def roof_of(machine: Machine, cores: int) -> Roof:
    """The bounds of `cores` cores of a machine, which share the DDR."""
    passes_per_second = machine.clock_ghz * 1e9 / machine.tae.passes_int8_int8
    peak = 2 * machine.tae.macs_per_pass * passes_per_second * cores
    return Roof(peak / 1e12, machine.ddr.bandwidth_gb_per_s)


def roofline_points(
    machine: Machine, graph: Graph, timeline: Timeline, operations: list[int]
) -> list[RooflinePoint]:
    """A point per layer that has operations. operations: by layer, padding not counted."""
    rows = timeline.instructions
    count = max(1, len(graph.layers))
    ddr_bytes = np.bincount(rows["layer"], rows["ddr_bytes"], count)
    start, end = np.full(count, np.inf), np.zeros(count)
    np.minimum.at(start, rows["layer"], rows["start"])
    np.maximum.at(end, rows["layer"], rows["end"])
    return [
        RooflinePoint(i, n, int(ddr_bytes[i]), machine.microseconds(float(end[i] - start[i])))
        for i, n in enumerate(operations)
        if n > 0
    ]
