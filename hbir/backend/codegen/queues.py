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

Needs = dict[Engine, int]
"""Engine → how many instructions of its queue must have completed."""

_ENGINES = tuple(Engine)
_NOTHING = (0,) * len(_ENGINES)


def merge(into: Needs, more: Mapping[Engine, int]) -> None:
    """Raise the counts of `into` to those of `more`."""
    for engine, count in more.items():
        if count > into.get(engine, 0):
            into[engine] = count


class Queues:
    """The queues of one core in one function call, and what each is known to have waited for."""

    def __init__(self, call: FunctionCallBuilder, core: int = 0) -> None:
        self._call = call
        self._core = core
        self._clocks: list[list[tuple[int, ...]]] = [[] for _ in _ENGINES]
        self._known: list[tuple[int, ...]] = [_NOTHING for _ in _ENGINES]

    def issue(
        self,
        engine: Engine,
        opcode: str,
        operands: Sequence[TensorDescriptor | None],
        needs: Needs,
        params: Mapping[str, Any] | None = None,
        layer: int = 0,
        flags: Flag | None = None,
    ) -> int:
        """Append an instruction once `needs` are met; returns its queue's length then."""
        waits = self._waits(engine, needs)
        clock = self._known[engine]
        for other, count in waits.items():
            theirs = self._clocks[other][count - 1]
            clock = tuple(map(max, clock, theirs))
        tokens = {(self._core, other): count for other, count in waits.items()}
        length = self._call.append(
            self._core, engine, opcode, operands, params, tokens, layer, flags
        )
        clock = (*clock[:engine], length, *clock[engine + 1 :])
        self._known[engine] = clock
        self._clocks[engine].append(clock)
        return length

    def _waits(self, engine: Engine, needs: Needs) -> Needs:
        """Those of `needs` that nothing else implies."""
        known = self._known[engine]
        open_needs = {
            other: count
            for other, count in needs.items()
            if other != engine and count > known[other]
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
