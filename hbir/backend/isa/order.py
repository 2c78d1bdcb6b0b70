"""Which orders of a function call's instructions are legal: queue order and waits, nothing else.

Hazards, the simulator and the timeline all see a function call through `QueueGraph`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hbir.backend.isa.program import FunctionCall, Program, QueueKey
from hbir.backend.isa.table import BY_NUMBER
from hbir.errors import HbirError

Token = tuple[int, int]
"""(queue number, instructions that it must have completed)."""


class DeadlockError(HbirError):
    """Waits that no order of execution satisfies."""


@dataclass(frozen=True)
class QueueGraph:
    """A function call's queues, numbered, and the waits of each instruction."""

    keys: tuple[QueueKey, ...]
    lengths: tuple[int, ...]
    waits: tuple[tuple[tuple[Token, ...], ...], ...]
    """By queue, by position: tokens; a wait for a queue without instructions has number -1."""
    mnemonics: tuple[tuple[str, ...], ...]

    def describe(self, queue: int, position: int) -> str:
        """`instruction 3 of core 0 TAE (conv2d)`."""
        core, engine = self.keys[queue]
        mnemonic = self.mnemonics[queue][position]
        return f"instruction {position} of core {core} {engine.name} ({mnemonic})"

    def legal_order(
        self, pick: Callable[[Sequence[int]], int] | None = None
    ) -> list[tuple[int, int]]:
        """(queue, position) of every instruction, in one order in which they may complete.

        `pick` chooses among the numbers of the queues whose next instruction may run; by default
        a queue runs as far as it can. Raises DeadlockError when some can never run.
        """
        done = [0] * len(self.keys)
        order: list[tuple[int, int]] = []
        total = sum(self.lengths)
        while len(order) < total:
            ready = [q for q in range(len(done)) if self._ready(q, done)]
            if not ready:
                raise DeadlockError(self._deadlock(done))
            if pick is not None:
                queue = pick(ready)
                order.append((queue, done[queue]))
                done[queue] += 1
                continue
            for queue in ready:
                while self._ready(queue, done):
                    order.append((queue, done[queue]))
                    done[queue] += 1
        return order

    def _ready(self, queue: int, done: list[int]) -> bool:
        position = done[queue]
        if position >= self.lengths[queue]:
            return False
        waits = self.waits[queue][position]
        return all(other >= 0 and done[other] >= count for other, count in waits)

    def _deadlock(self, done: list[int]) -> str:
        blocked: list[str] = []
        for queue, position in enumerate(done):
            if position >= self.lengths[queue]:
                continue
            unmet = [
                f"{count} of {self._queue_name(other)} ({done[other] if other >= 0 else 0} done)"
                for other, count in self.waits[queue][position]
                if other < 0 or done[other] < count
            ]
            blocked.append(f"{self.describe(queue, position)} waits for {' and '.join(unmet)}")
        return "deadlock: " + "; ".join(blocked)

    def _queue_name(self, queue: int) -> str:
        if queue < 0:
            return "a queue without instructions"
        core, engine = self.keys[queue]
        return f"core {core} {engine.name}"


def queue_graph(program: Program, call: FunctionCall) -> QueueGraph:
    """The queue graph of a function call."""
    keys = tuple(call.queues)
    numbers = {(core, int(engine)): number for number, (core, engine) in enumerate(keys)}
    table: list[Any] = program.waits.tolist()
    tokens = [(numbers.get((core, engine), -1), count) for core, engine, count in table]
    waits: list[tuple[tuple[Token, ...], ...]] = []
    mnemonics: list[tuple[str, ...]] = []
    for queue in call.queues.values():
        starts, counts = queue["waits"].tolist(), queue["wait_count"].tolist()
        waits.append(tuple(tuple(tokens[s : s + n]) for s, n in zip(starts, counts, strict=True)))
        mnemonics.append(tuple(BY_NUMBER[code].mnemonic for code in queue["opcode"].tolist()))
    lengths = tuple(len(queue) for queue in call.queues.values())
    return QueueGraph(keys, lengths, tuple(waits), tuple(mnemonics))


def vector_clocks(
    graph: QueueGraph, order: Sequence[tuple[int, int]]
) -> list[np.ndarray[Any, Any]]:
    """By queue, an array (instructions, queues): how many instructions of each queue are known to
    be complete before an instruction starts, whatever the legal order.

    order: a legal order.
    """
    width = len(graph.keys)
    clocks = [np.zeros((length, width), np.int32) for length in graph.lengths]
    for queue, position in order:
        row = clocks[queue][position]
        if position:
            row[:] = clocks[queue][position - 1]
            row[queue] = position
        for other, count in graph.waits[queue][position]:
            np.maximum(row, clocks[other][count - 1], out=row)
            row[other] = max(int(row[other]), count)
    return clocks
