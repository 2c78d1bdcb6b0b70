"""Waits: what an instruction must wait for, and which of it is known already.

A queue runs its instructions in order, one after the other, and counts those it has completed. An
instruction that needs others done names counts of other queues. Each instruction has a vector
clock: the counts that are certain to be reached when it completes. A wait is written only when
neither the queue's own past nor another wait of the same instruction implies it, so the waits are
minimal by construction. Every instruction waits only for earlier issued ones: nothing deadlocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hbir.backend.isa.builder import FunctionCallBuilder
from hbir.backend.isa.descriptor import TensorDescriptor
from hbir.backend.isa.enums import Engine, Flag

Needs = dict[int, int]
"""Number of a queue → how many of its instructions must have completed."""

_ENGINES = len(Engine)


def queue_number(core: int, engine: Engine) -> int:
    """The number of a core's queue; on core 0 it is the engine's."""
    return core * _ENGINES + int(engine)


def merge(into: Needs, more: Mapping[int, int]) -> None:
    """Raise the counts of `into` to those of `more`."""
    for queue, count in more.items():
        if count > into.get(queue, 0):
            into[queue] = count


class Queues:
    """The queues of one function call, and what each is known to have waited for."""

    def __init__(self, call: FunctionCallBuilder, cores: int = 1) -> None:
        self._call = call
        queues = range(cores * _ENGINES)
        self._names = [(number // _ENGINES, Engine(number % _ENGINES)) for number in queues]
        nothing = (0,) * len(queues)
        self._clocks: list[list[tuple[int, ...]]] = [[] for _ in queues]
        self._known: list[tuple[int, ...]] = [nothing for _ in queues]

    def issue(
        self,
        queue: int,
        opcode: str,
        operands: Sequence[TensorDescriptor | None],
        needs: Needs,
        params: Mapping[str, Any] | None = None,
        layer: int = 0,
        flags: Flag | None = None,
    ) -> int:
        """Append an instruction once `needs` are met; returns its queue's length then."""
        waits = self._waits(queue, needs)
        clock = self._known[queue]
        for other, count in waits.items():
            theirs = self._clocks[other][count - 1]
            clock = tuple(map(max, clock, theirs))
        names = self._names
        tokens = {names[other]: count for other, count in waits.items()}
        core, engine = names[queue]
        length = self._call.append(core, engine, opcode, operands, params, tokens, layer, flags)
        clock = (*clock[:queue], length, *clock[queue + 1 :])
        self._known[queue] = clock
        self._clocks[queue].append(clock)
        return length

    def part(self, queue: int, value: int, origin: Sequence[int]) -> None:
        """Say which part of a value the instruction issued last to a queue writes."""
        core, engine = self._names[queue]
        self._call.part(core, engine, value, origin)

    def _waits(self, queue: int, needs: Needs) -> Needs:
        """Those of `needs` that nothing else implies."""
        known = self._known[queue]
        open_needs = {
            other: count
            for other, count in needs.items()
            if other != queue and count > known[other]
        }
        if len(open_needs) < 2:
            return open_needs
        return {
            other: count
            for other, count in open_needs.items()
            if not any(
                self._clocks[third][reached - 1][other] >= count
                for third, reached in open_needs.items()
                if third != other
            )
        }
