"""DDR bandwidth over time, exactly: it changes only where a transfer starts or ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hbir.backend.isa.enums import Engine
from hbir.backend.march import Machine
from hbir.backend.timeline import Timeline

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BandwidthSteps:
    """From `time_us[i]` to `time_us[i + 1]` transfers move `load[i]` and `store[i]` GB/s."""

    time_us: Reals
    load: Reals
    store: Reals

    @property
    def end_us(self) -> Reals:
        """Where each step ends; the last one where it starts."""
        return np.append(self.time_us[1:], self.time_us[-1:])

    def averaged(self, total_us: float, count: int) -> BandwidthSteps:
        """The mean over each of `count` equal intervals of [0, total_us), with the end's step."""
        edges = np.linspace(0.0, total_us, count + 1)
        width = max(total_us / count, 1e-12)

        def mean(rate: Reals) -> Reals:
            moved = np.append(0.0, np.cumsum(rate[:-1] * np.diff(self.time_us)))
            return np.append(np.diff(np.interp(edges, self.time_us, moved)) / width, 0.0)

        return BandwidthSteps(edges, mean(self.load), mean(self.store))


def bandwidth_steps(machine: Machine, timeline: Timeline) -> BandwidthSteps:
    """Each transfer's bytes laid evenly over its time; the steps of all cores' sum."""
    rows = timeline.instructions
    rows = rows[(rows["ddr_bytes"] > 0) & (rows["end"] > rows["start"])]
    edges = np.unique(np.concatenate([[0.0], rows["start"], rows["end"]]))
    scale = machine.clock_ghz  # bytes per cycle · cycles per nanosecond = GB/s
    rates = scale * rows["ddr_bytes"] / (rows["end"] - rows["start"])

    def total(engine: Engine) -> Reals:
        mine = rows["engine"] == engine
        change = np.zeros(len(edges))
        np.add.at(change, np.searchsorted(edges, rows["start"][mine]), rates[mine])
        np.subtract.at(change, np.searchsorted(edges, rows["end"][mine]), rates[mine])
        # Sums of what was added and taken away leave rounding, not bandwidth, below zero.
        return np.maximum(np.cumsum(change), 0.0).round(9)

    return BandwidthSteps(
        edges / (machine.clock_ghz * 1000.0), total(Engine.LOAD), total(Engine.STORE)
    )
