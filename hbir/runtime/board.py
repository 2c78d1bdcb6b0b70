"""A board, simulated in time: threads submit frames, cores run function calls, the DDR is shared.

Static performance is one frame with the machine to itself. Here several models run at once, each
from several threads, as `hrt_model_exec perf` runs them on a board:

- A thread prepares a frame on the host (the march's launch overhead; threads don't disturb each
  other), submits it, and waits for its end before it prepares the next.
- A free core takes the ready task of the highest priority, first come first. A task of priority
  254 or 255 takes a core from a lower one at the end of the function call that runs there: function
  calls can't be interrupted, which is what `max_time_per_fc` is for.
- A function call takes as long as the timeline says for as many copies of it as cores are busy:
  calls of other models weigh on the DDR as copies of one's own would. Exact for one model on all
  cores, an approximation for a mix. CPU segments take no time; the machine's model doesn't know it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from hbir.backend.instruction_cycles import DescriptorFeatures
from hbir.backend.isa.program import BpuSegment, Graph, Program
from hbir.backend.march import Machine
from hbir.backend.timeline import play_call

PREEMPTING_PRIORITY = 254
"""From here on a task takes a running core at the next function call."""

MAX_PRIORITY = 255


@dataclass(frozen=True)
class CallCost:
    """A function call: its segment's number, and its time by how many cores are busy."""

    segment: int
    busy_us: tuple[float, ...]
    """Microseconds with 1, 2, ... cores busy."""


@dataclass(frozen=True)
class Workload:
    """One model, run from some threads for some frames (all threads together)."""

    name: str
    calls: tuple[CallCost, ...]
    cores_per_task: int
    launch_us: float
    threads: int = 1
    frames: int = 200
    """Frames in all; 0 for as many as fit before the run's `until_us`."""
    warmup_frames: int = 0
    """Frames of each thread that come first and beyond `frames`; they are marked."""
    priority: int = 0
    cores: frozenset[int] = frozenset()
    """The cores it may run on; empty for any."""
    timeout_us: float = 0.0
    """A frame that takes longer counts as timed out; 0 for never."""


@dataclass
class Frame:
    """One frame of a workload. Times in microseconds of the simulated run."""

    workload: int
    thread: int
    number: int
    prepared: float
    """When its thread began to prepare it."""
    warmup: bool = False
    submitted: float = 0.0
    ended: float = 0.0
    call_us: list[float] = field(default_factory=list[float])
    """What each of its function calls took on its core."""
    preempted: int = 0
    """How often it had to give a core to a task of higher priority."""

    @property
    def latency_us(self) -> float:
        """From the start of its preparation to its end."""
        return self.ended - self.prepared


def call_costs(machine: Machine, program: Program, graph: Graph) -> tuple[CallCost, ...]:
    """The function calls of a graph, played with 1, 2, ... copies on the machine's cores."""
    features = DescriptorFeatures(machine, program)
    copies = max(1, machine.cores // program.cores)
    costs: list[CallCost] = []
    for number, segment in enumerate(graph.segments):
        for call in segment.calls if isinstance(segment, BpuSegment) else ():
            busy = [
                machine.microseconds(
                    float(play_call(machine, program, call, features, n)["end"].max(initial=0.0))
                )
                + machine.call_overhead_us
                for n in range(1, copies + 1)
            ]
            costs.append(CallCost(number, tuple(busy)))
    return tuple(costs)


def simulate(cores: int, workloads: Sequence[Workload], until_us: float = 0.0) -> list[Frame]:
    """Run all workloads beside each other from time 0; returns their frames as they end.

    until_us: no frame is prepared after it; 0 for no such end. Deterministic.
    """
    return _Board(cores, workloads, until_us).run()


@dataclass
class _Task:
    frame: Frame
    arrival: int
    next_call: int = 0


@dataclass
class _Running:
    """A function call on its cores. `left`: the part of it still to do, 1 at its start."""

    task: _Task
    cores: frozenset[int]
    started: float
    left: float = 1.0


class _Board:
    """Event by event: the next preparation or function call that ends."""

    def __init__(self, cores: int, workloads: Sequence[Workload], until_us: float) -> None:
        self.workloads = workloads
        self.until_us = until_us
        self.free = set(range(cores))
        self.ready: list[_Task] = []
        self.running: list[_Running] = []
        self.preparing: list[tuple[float, int, Frame]] = []
        self.prepared_frames = [0] * len(workloads)
        self.warmups = [[workload.warmup_frames] * workload.threads for workload in workloads]
        self.arrivals = 0
        self.finished: list[Frame] = []

    def run(self) -> list[Frame]:
        now = 0.0
        for number, workload in enumerate(self.workloads):
            for thread in range(workload.threads):
                self._prepare(number, thread, now)
        while self.preparing or self.running:
            then = self._next_event(now)
            self._progress(then - now)
            now = then
            while self.preparing and self.preparing[0][0] <= now:
                _, _, frame = heapq.heappop(self.preparing)
                self._submit(frame, now)
            for call in [call for call in self.running if call.left <= _ROUNDING]:
                self._end(call, now)
            self._start(now)
        return self.finished

    def _prepare(self, number: int, thread: int, now: float) -> None:
        workload = self.workloads[number]
        over = self.until_us and now >= self.until_us
        if over or (workload.frames and self.prepared_frames[number] >= workload.frames):
            return
        frame = Frame(number, thread, self.prepared_frames[number], now)
        if self.warmups[number][thread]:
            self.warmups[number][thread] -= 1
            frame.warmup = True
        else:
            self.prepared_frames[number] += 1
        self.arrivals += 1
        heapq.heappush(self.preparing, (now + workload.launch_us, self.arrivals, frame))

    def _submit(self, frame: Frame, now: float) -> None:
        frame.submitted = now
        self.arrivals += 1
        self.ready.append(_Task(frame, self.arrivals))
        if not self.workloads[frame.workload].calls:  # nothing for the BPU
            self._finish(self.ready.pop(), now)

    def _next_event(self, now: float) -> float:
        moments = [now + call.left * self._duration(call) for call in self.running]
        if self.preparing:
            moments.append(self.preparing[0][0])
        return min(moments)

    def _progress(self, elapsed_us: float) -> None:
        durations = [self._duration(call) for call in self.running]
        for call, duration in zip(self.running, durations, strict=True):
            call.left -= elapsed_us / duration if duration > 0 else call.left

    def _duration(self, call: _Running) -> float:
        """What the whole call takes while as many cores are busy as now."""
        cost = self.workloads[call.task.frame.workload].calls[call.task.next_call]
        return cost.busy_us[min(len(self.running), len(cost.busy_us)) - 1]

    def _end(self, call: _Running, now: float) -> None:
        self.running.remove(call)
        self.free |= call.cores
        task = call.task
        task.frame.call_us.append(now - call.started)
        task.next_call += 1
        workload = self.workloads[task.frame.workload]
        if task.next_call == len(workload.calls):
            self._finish(task, now)
        elif self._preemptor(workload.priority, call.cores):
            task.frame.preempted += 1
            self.ready.append(task)
        else:
            self._begin(task, call.cores, now)

    def _preemptor(self, priority: int, cores: frozenset[int]) -> bool:
        """Whether a waiting task takes these cores from a task of `priority`."""
        return any(
            self.workloads[task.frame.workload].priority >= max(PREEMPTING_PRIORITY, priority + 1)
            and cores & self._allowed(task)
            for task in self.ready
        )

    def _start(self, now: float) -> None:
        """Give free cores to ready tasks: the highest priority first, then who came first."""
        self.ready.sort(key=lambda t: (-self.workloads[t.frame.workload].priority, t.arrival))
        for task in list(self.ready):
            needed = self.workloads[task.frame.workload].cores_per_task
            usable = sorted(self.free & self._allowed(task))
            if len(usable) >= needed:
                self.ready.remove(task)
                self._begin(task, frozenset(usable[:needed]), now)

    def _allowed(self, task: _Task) -> frozenset[int]:
        chosen = self.workloads[task.frame.workload].cores
        busy = frozenset[int]().union(*(call.cores for call in self.running))
        return chosen or frozenset(self.free) | busy

    def _begin(self, task: _Task, cores: frozenset[int], now: float) -> None:
        self.free -= cores
        self.running.append(_Running(task, cores, now))

    def _finish(self, task: _Task, now: float) -> None:
        task.frame.ended = now
        self.finished.append(task.frame)
        self._prepare(task.frame.workload, task.frame.thread, now)


_ROUNDING = 1e-12
"""Part of a function call below which float64 sums count it as over."""
