"""The player: when each instruction runs, by the cost model, the waits and the shared DDR.

Queues run in order; an instruction starts when its waits are met, its engine is free and no engine
that excludes its own is busy. LOAD and STORE of all cores share the DDR: each transfer first
spends its fixed latency, then gets an equal share of the bandwidth, but a core's transfers never
draw more than the core can. Cycles come from
`cost`, the functions that the tiling search uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hbir.backend.instruction_cycles import TRANSFER_ENGINES, DescriptorFeatures
from hbir.backend.isa.enums import Engine
from hbir.backend.isa.order import Token, queue_graph
from hbir.backend.isa.program import (
    BpuSegment,
    FunctionCall,
    Graph,
    Program,
    QueueKey,
    Records,
)
from hbir.backend.march import Machine

Cycles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TIMELINE_DTYPE = np.dtype(
    [
        ("segment", "<i4"),
        ("call", "<i4"),
        ("core", "<i4"),
        ("engine", "<i4"),
        ("position", "<i4"),
        ("opcode", "<i4"),
        ("layer", "<i4"),
        ("start", "<f8"),
        ("end", "<f8"),
        ("work", "<f8"),
        ("ddr_bytes", "<i8"),
    ]
)
"""A played instruction. `start`, `end` and `work` (its cycles with the DDR to itself) in cycles;
`ddr_bytes` in whole bursts."""


@dataclass(frozen=True)
class Timeline:
    """A graph, played: its instructions by function call and queue, and when segments end."""

    instructions: Records
    segment_cycles: tuple[float, ...]
    """Cycles of each segment; 0 for CPU calls, whose time the machine's model doesn't know."""

    @property
    def cycles(self) -> float:
        """Cycles of the whole graph on the BPU."""
        return float(sum(self.segment_cycles))

    @property
    def call_starts(self) -> npt.NDArray[np.intp]:
        """The positions in `instructions` where a function call's begin; they stand together."""
        rows = self.instructions
        same = np.zeros(len(rows), bool)
        same[1:] = rows["segment"][1:] == rows["segment"][:-1]
        same[1:] &= rows["call"][1:] == rows["call"][:-1]
        return np.flatnonzero(~same)


def play(machine: Machine, program: Program, graph: Graph, frames: int = 1) -> Timeline:
    """Play a graph. Function calls run one after another. Raises DeadlockError for waits that
    can't be met.

    frames: how many run at once, each on cores of its own behind those of the one before. They
    share the DDR.
    """
    features = DescriptorFeatures(machine, program)
    rows: list[Records] = [np.zeros(0, TIMELINE_DTYPE)]
    segments: list[float] = []
    now = 0.0
    for number, segment in enumerate(graph.segments):
        began = now
        if isinstance(segment, BpuSegment):
            for call_number, call in enumerate(segment.calls):
                played = play_call(machine, program, call, features, frames)
                played["segment"], played["call"] = number, call_number
                played["start"] += now
                played["end"] += now
                now = float(played["end"].max(initial=now))
                rows.append(played)
        segments.append(now - began)
    return Timeline(np.concatenate(rows), tuple(segments))


def frame_microseconds(machine: Machine, timeline: Timeline) -> float:
    """Microseconds from one frame to the next on cores that are kept busy: the timeline, and what
    starting its function calls costs them."""
    calls = len(timeline.call_starts)
    return machine.microseconds(timeline.cycles) + calls * machine.call_overhead_us


def play_call(
    machine: Machine,
    program: Program,
    call: FunctionCall,
    features: DescriptorFeatures,
    frames: int = 1,
) -> Records:
    """The played instructions of one function call, from cycle 0."""
    queues = queue_graph(program, call)
    queues.legal_order()  # so that the player can't get stuck
    work = [features.cycles(engine, queue) for (_, engine), queue in call.queues.items()]
    ddr = [
        features.ddr_bytes(queue) if engine in TRANSFER_ENGINES else np.zeros(len(queue), np.int64)
        for (_, engine), queue in call.queues.items()
    ]
    fixed = [
        features.fixed_cycles(queue) if engine in TRANSFER_ENGINES else cycles
        for ((_, engine), queue), cycles in zip(call.queues.items(), work, strict=True)
    ]
    keys, waits = _copies(queues.keys, queues.waits, frames)
    starts, ends = _Player(machine, keys, waits, fixed * frames, ddr * frames).run()
    rows: list[Records] = []
    for number, (core, engine) in enumerate(keys):
        source = number % len(call.queues)
        queue = call.queues[queues.keys[source]]
        played = np.zeros(len(queue), TIMELINE_DTYPE)
        played["core"], played["engine"] = core, int(engine)
        played["position"] = np.arange(len(queue))
        played["opcode"], played["layer"] = queue["opcode"], queue["layer"]
        played["start"], played["end"] = starts[number], ends[number]
        played["work"], played["ddr_bytes"] = work[source], ddr[source]
        rows.append(played)
    return np.concatenate(rows) if rows else np.zeros(0, TIMELINE_DTYPE)


def _copies(
    keys: tuple[QueueKey, ...], waits: Sequence[Sequence[Sequence[Token]]], frames: int
) -> tuple[tuple[QueueKey, ...], list[list[list[Token]]]]:
    """Queues and waits of `frames` copies of a call, each on the cores behind those before."""
    cores = 1 + max((core for core, _ in keys), default=0)
    all_keys = tuple((core + f * cores, engine) for f in range(frames) for core, engine in keys)
    all_waits = [
        [[(queue + f * len(keys), count) for queue, count in tokens] for tokens in of_queue]
        for f in range(frames)
        for of_queue in waits
    ]
    return all_keys, all_waits


# --------------------------------------------------------------------------- the player


class _Player:
    """Event by event: what ends next, and what may start then. Deterministic."""

    def __init__(
        self,
        machine: Machine,
        keys: tuple[QueueKey, ...],
        waits: Sequence[Sequence[Sequence[Token]]],
        fixed: list[Cycles],
        ddr_bytes: list[Ints],
    ) -> None:
        self.waits = waits
        self.lengths = [len(cycles) for cycles in fixed]
        self.shares_ddr = [engine in TRANSFER_ENGINES for _, engine in keys]
        # A transfer's work is its latency, which is its own, and its bytes, which share the DDR.
        self.fixed = [cycles.tolist() for cycles in fixed]
        self.shared = [
            (b / machine.ddr_bytes_per_cycle).tolist() if shared else [0.0] * len(b)
            for b, shared in zip(ddr_bytes, self.shares_ddr, strict=True)
        ]
        self.excludes = [
            [
                other
                for other, (other_core, other_engine) in enumerate(keys)
                if other != mine
                and other_core == core
                and any(
                    engine.name in group and other_engine.name in group
                    for group in machine.exclusive
                )
            ]
            for mine, (core, engine) in enumerate(keys)
        ]
        self.done = [0] * len(keys)
        self.running = [False] * len(keys)
        self.cores = [core for core, _ in keys]
        self.ddr_cores = machine.ddr.bandwidth_gb_per_s / machine.ddr.core_bandwidth_gb_per_s
        """How many cores' transfers the DDR carries at their full rate."""
        self.ready_since: dict[int, float] = {}
        self.fixed_end: dict[int, float] = {}
        self.shared_left: dict[int, float] = {}
        self.starts = [[0.0] * n for n in self.lengths]
        self.ends = [[0.0] * n for n in self.lengths]

    def run(self) -> tuple[list[list[float]], list[list[float]]]:
        """Start and end cycle of each instruction, by queue."""
        now = 0.0
        remaining = sum(self.lengths)
        while remaining:
            self._start_ready(now)
            now, finished = self._advance(now)
            for queue in finished:
                self.ends[queue][self.done[queue]] = now
                self.done[queue] += 1
                self.running[queue] = False
                remaining -= 1
        return self.starts, self.ends

    def _start_ready(self, now: float) -> None:
        """Start what may start; engines that exclude each other take turns, first come first."""
        for queue in range(len(self.done)):
            if not self.running[queue] and queue not in self.ready_since and self._may(queue):
                self.ready_since[queue] = now
        for queue in sorted(self.ready_since, key=lambda q: (self.ready_since[q], q)):
            if any(self.running[other] for other in self.excludes[queue]):
                continue
            position = self.done[queue]
            del self.ready_since[queue]
            self.running[queue] = True
            self.starts[queue][position] = now
            self.fixed_end[queue] = now + self.fixed[queue][position]

    def _may(self, queue: int) -> bool:
        position = self.done[queue]
        return position < self.lengths[queue] and all(
            self.done[other] >= count for other, count in self.waits[queue][position]
        )

    def _advance(self, now: float) -> tuple[float, list[int]]:
        """The next moment at which something ends, and the queues whose instruction has."""
        rates = self._rates()
        then = min(self.fixed_end.values(), default=float("inf"))
        for queue, left in self.shared_left.items():
            then = min(then, now + left / rates[queue])
        finished: list[int] = []
        for queue in list(self.shared_left):
            left = self.shared_left[queue] - (then - now) * rates[queue]
            if left <= _ROUNDING * max(then, 1.0):
                del self.shared_left[queue]
                finished.append(queue)
            else:
                self.shared_left[queue] = left
        for queue in [q for q, end in self.fixed_end.items() if end <= then]:
            del self.fixed_end[queue]
            bytes_left = self.shared[queue][self.done[queue]]
            if bytes_left > 0:
                self.shared_left[queue] = bytes_left
            else:
                finished.append(queue)
        return then, sorted(finished)

    def _rates(self) -> dict[int, float]:
        """Of each transfer that moves bytes, its share of what a core can draw."""
        moving = [self.cores[queue] for queue in self.shared_left]
        of_ddr = self.ddr_cores / max(1, len(moving))
        return {
            queue: min(of_ddr, 1.0 / moving.count(self.cores[queue])) for queue in self.shared_left
        }


_ROUNDING = 1e-12
"""Relative error of float64 sums below which a transfer counts as over."""


def layer_cycles(timeline: Timeline, layer_count: int) -> dict[str, Cycles]:
    """Per layer: compute, load and store cycles (work, not elapsed time), and first start and last
    end of any of its instructions."""
    rows = timeline.instructions
    layer = rows["layer"]
    load, store = rows["engine"] == Engine.LOAD, rows["engine"] == Engine.STORE

    def total(mine: npt.NDArray[np.bool_]) -> Cycles:
        return np.bincount(layer[mine], rows["work"][mine], layer_count).astype(np.float64)

    start = np.full(layer_count, np.inf)
    end = np.zeros(layer_count)
    np.minimum.at(start, layer, rows["start"])
    np.maximum.at(end, layer, rows["end"])
    return {
        "compute": total(~(load | store)),
        "load": total(load),
        "store": total(store),
        "start": np.where(np.isfinite(start), start, 0.0),
        "end": end,
    }


def busy_cycles(timeline: Timeline, machine: Machine) -> dict[str, float]:
    """Per engine: the cycles of all its instructions, on all cores."""
    rows = timeline.instructions
    work = np.bincount(rows["engine"], rows["work"], len(Engine))
    return {e.name: float(work[e]) for e in Engine if e.name in machine.engines}
