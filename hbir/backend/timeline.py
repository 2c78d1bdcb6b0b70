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

from hbir.backend.cost import (
    BILINEAR_TAPS,
    POOLS,
    SAMPLERS,
    ConvWork,
    MatmulWork,
    Work,
    burst_bytes,
    conv_cycles,
    matmul_cycles,
    padded_elements,
    vector_cycles,
)
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.backend.isa.order import Token, queue_graph
from hbir.backend.isa.program import (
    ABSENT,
    BpuSegment,
    FunctionCall,
    Graph,
    Program,
    QueueKey,
    Records,
)
from hbir.backend.isa.table import BY_MNEMONIC, BY_NUMBER, Instruction
from hbir.backend.march import Machine

Cycles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TRANSFER_ENGINES = (Engine.LOAD, Engine.STORE)
DDR_SPACES = (Space.CONSTANT, Space.WORKSPACE, Space.INPUT, Space.OUTPUT)

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

MACS_DTYPE = np.dtype(
    [("layer", "<i4"), ("macs", "<i8"), ("feature_bytes", "<i4"), ("weight_bytes", "<i4")]
)
"""A convolution instruction's work, padding not counted."""


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
    keys, waits = _copies(queues.keys, queues.waits, frames)
    starts, ends = _Player(machine, keys, waits, work * frames, ddr * frames).run()
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


# --------------------------------------------------------------------------- cycles


class DescriptorFeatures:
    """What the cost functions need of every descriptor of a program, as arrays."""

    def __init__(self, machine: Machine, program: Program) -> None:
        records = program.descriptors
        self.machine = machine
        self.parameters: Ints = np.asarray(program.parameters, np.int64)
        self.shape: Ints = records["shape"].astype(np.int64)
        self.rank: Ints = records["rank"].astype(np.int64)
        itemsizes = np.array([d.itemsize for d in DType], np.int64)
        self.itemsize: Ints = itemsizes[records["dtype"]]
        self.in_ddr: npt.NDArray[np.bool_] = np.isin(
            records["space"], [int(space) for space in DDR_SPACES]
        )
        axes: Ints = np.arange(self.shape.shape[1], dtype=np.int64)
        filled: Ints = np.where(axes < self.rank[:, None], self.shape, 1)
        self.bytes: Ints = np.prod(filled, axis=1) * self.itemsize
        self.run_bytes = self._runs(records["strides"].astype(np.int64))
        self.elements = self._padded_elements()

    def _runs(self, strides: Ints) -> Ints:
        """Bytes of the contiguous run at the end of each operand."""
        run = self.itemsize.copy()
        contiguous = np.ones(len(run), bool)
        for axis in reversed(range(self.shape.shape[1])):
            extent = self.shape[:, axis]
            used = (axis < self.rank) & (extent > 1)
            contiguous &= ~used | (strides[:, axis] == run)
            run = np.where(used & contiguous, run * extent, run)
        return run

    def _padded_elements(self) -> Ints:
        elements = np.ones(len(self.rank), np.int64)
        for rank in sorted(set(self.rank.tolist())):
            for itemsize in sorted(set(self.itemsize.tolist())):
                mine = (self.rank == rank) & (self.itemsize == itemsize)
                shape = self.shape[mine][:, :rank]
                elements[mine] = padded_elements(self.machine, shape, itemsize)
        return elements

    def cycles(self, engine: Engine, queue: Records) -> Cycles:
        """Cycles of each instruction of a queue, with the DDR to itself."""
        if engine in TRANSFER_ENGINES:
            latency = float(self.machine.ddr.transfer_latency_cycles) + self._l2_cycles(queue)
            return self.ddr_bytes(queue) / self.machine.ddr_bytes_per_cycle + latency
        cycles = np.zeros(len(queue), np.float64)
        for opcode in sorted(set(queue["opcode"].tolist())):  # np.unique would import np.ma
            mine = queue["opcode"] == opcode
            row = BY_NUMBER[opcode]
            match row.mnemonic:
                case "conv2d":
                    cycles[mine] = self._conv_cycles(queue[mine])
                case "matmul":
                    cycles[mine] = self._matmul_cycles(queue[mine])
                case _:
                    cycles[mine] = self._vector_cycles(row, engine, queue[mine])
        return cycles

    def ddr_bytes(self, queue: Records) -> Ints:
        """DDR bytes of each LOAD or STORE, in whole bursts."""
        pair = queue["operands"][:, :2].astype(np.int64)
        ddr = np.where(self.in_ddr[pair[:, 0]], pair[:, 0], pair[:, 1])
        run = self.run_bytes[ddr]
        moved = burst_bytes(self.machine, self.bytes[ddr] // run, run)
        return np.where(self.in_ddr[pair].any(axis=1), moved, 0)

    def _l2_cycles(self, queue: Records) -> Cycles:
        """Cycles of each LOAD or STORE between L1 and L2; 0 for those of DDR."""
        pair = queue["operands"][:, :2].astype(np.int64)
        rate = max(1, self.machine.memory.l2_bytes_per_cycle)
        return np.where(self.in_ddr[pair].any(axis=1), 0.0, self.bytes[pair[:, 0]] / rate)

    def macs(self, queue: Records) -> Records:
        """Multiply-accumulates of a queue's convolutions and matmuls, with the bytes of an element
        of feature (left) and weight (right)."""
        return np.concatenate([self._conv_macs(queue), self._matmul_macs(queue)])

    def _matmul_macs(self, queue: Records) -> Records:
        products = queue[queue["opcode"] == BY_MNEMONIC["matmul"].number]
        output, lhs, rhs = products["operands"][:, :3].astype(np.int64).T
        result = np.zeros(len(products), MACS_DTYPE)
        result["layer"] = products["layer"]
        result["macs"] = self.bytes[output] // self.itemsize[output] * self._last(lhs, 1)
        result["feature_bytes"], result["weight_bytes"] = self.itemsize[lhs], self.itemsize[rhs]
        return result

    def _last(self, operand: Ints, number: int) -> Ints:
        """The extent of an operand's last axis (1), of the one before it (2), ..."""
        return self.shape[operand, self.rank[operand] - number]

    def _matmul_cycles(self, queue: Records) -> Cycles:
        output, lhs, rhs = queue["operands"][:, :3].astype(np.int64).T
        rows, columns = self._last(output, 2), self._last(output, 1)
        zero_point = self._words(queue, BY_MNEMONIC["matmul"], "lhs_zero_point")
        work = MatmulWork(
            self.bytes[output] // self.itemsize[output] // (rows * columns),
            rows + (zero_point != 0),
            columns,
            self._last(lhs, 1),
            self.itemsize[lhs],
            self.itemsize[rhs],
        )
        return matmul_cycles(self.machine, work)

    def _conv_macs(self, queue: Records) -> Records:
        row = BY_MNEMONIC["conv2d"]
        convolutions = queue[queue["opcode"] == row.number]
        operands: Ints = convolutions["operands"].astype(np.int64)
        output, accumulator, x, weights = (operands[:, column] for column in range(4))
        target: Ints = np.where(output != ABSENT, output, accumulator)
        taps = np.prod(self.shape[weights][:, 1:4], axis=1)
        result = np.zeros(len(convolutions), MACS_DTYPE)
        result["layer"] = convolutions["layer"]
        result["macs"] = np.prod(self.shape[target][:, :4], axis=1) * taps
        result["feature_bytes"], result["weight_bytes"] = self.itemsize[x], self.itemsize[weights]
        return result

    def _conv_cycles(self, queue: Records) -> Cycles:
        row = BY_MNEMONIC["conv2d"]
        operand = {
            name.rstrip("?"): queue["operands"][:, i].astype(np.int64)
            for i, name in enumerate(row.operands)
        }
        target = np.where(operand["output"] != ABSENT, operand["output"], operand["accumulator"])
        n, h, w, cout = self.shape[target][:, :4].T
        _, kernel_h, kernel_w, cin = self.shape[operand["weights"]][:, :4].T
        groups = self._words(queue, row, "group_num")
        return conv_cycles(
            self.machine,
            ConvWork(
                n, h, w, cout, kernel_h, kernel_w, cin, groups,
                self.itemsize[operand["x"]], self.itemsize[operand["weights"]],
            ),
        )  # fmt: skip

    def _vector_cycles(self, row: Instruction, engine: Engine, queue: Records) -> Cycles:
        output = queue["operands"][:, 0].astype(np.int64)
        first = queue["operands"][:, 1].astype(np.int64) if len(row.operands) > 1 else output
        work = Work(
            self.elements[output],
            self.elements[first],
            self.itemsize[output],
            self.itemsize[first],
            self._taps(row, queue),
        )
        return vector_cycles(self.machine, row.mnemonic, work)

    def _taps(self, row: Instruction, queue: Records) -> Ints | int:
        if row.mnemonic in POOLS:
            return self._words(queue, row, "kernel") * self._words(queue, row, "kernel", 1)
        if row.mnemonic in SAMPLERS:
            bilinear = self._words(queue, row, "mode") == 1
            return np.where(bilinear, BILINEAR_TAPS, 1)
        return 1

    def _words(self, queue: Records, row: Instruction, name: str, part: int = 0) -> Ints:
        offset = sum(p.words for p in row.parameters[: list(row.by_name).index(name)]) + part
        return self.parameters[queue["parameters"].astype(np.int64) + offset]


# --------------------------------------------------------------------------- the player


class _Player:
    """Event by event: what ends next, and what may start then. Deterministic."""

    def __init__(
        self,
        machine: Machine,
        keys: tuple[QueueKey, ...],
        waits: Sequence[Sequence[Sequence[Token]]],
        work: list[Cycles],
        ddr_bytes: list[Ints],
    ) -> None:
        self.waits = waits
        self.lengths = [len(w) for w in work]
        latency = float(machine.ddr.transfer_latency_cycles)
        self.shares_ddr = [engine in TRANSFER_ENGINES for _, engine in keys]
        # A transfer's work is its latency, which is its own, and its bytes, which share the DDR.
        self.fixed = [
            np.where(b > 0, latency, w).tolist() if shared else w.tolist()
            for w, b, shared in zip(work, ddr_bytes, self.shares_ddr, strict=True)
        ]
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
