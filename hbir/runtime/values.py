"""The named tensors of a simulated run, gathered from the tiles that instructions write.

A tile is copied right after the instruction that wrote it, before anything overwrites it: on chip
tensors share their bytes, and of line buffers only some rows exist at a time. What lies inside
another tensor, or is one under another shape, has no instruction and comes from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from hbir.backend.isa.program import Graph, Value
from hbir.errors import HbirError

Array = np.ndarray[Any, Any]

ValueListener: TypeAlias = Callable[[str, Array, Value | None], None]
"""Called with (tensor name, array, value) for each input (value None) and each named value, in the
order of the debug table."""


@dataclass(frozen=True)
class Tap:
    """Where to look after an instruction: what it wrote, and which box of which value that is."""

    value: int
    box: tuple[slice, ...]
    read: Callable[[], Array]


class GatheredValues:
    """The values of one run while it goes on."""

    def __init__(self, graph: Graph, inputs: Sequence[Array]) -> None:
        self._graph = graph
        self._inputs = inputs
        self._arrays: list[Array] = [*inputs]
        self._missing: list[Array] = [np.zeros(0, bool) for _ in inputs]
        for value in graph.values:
            made = value.view_of is None
            self._arrays.append(np.empty(value.shape if made else 0, value.dtype.numpy))
            self._missing.append(np.ones(value.shape if made else 0, bool))

    def take(self, tap: Tap) -> None:
        """Copy what an instruction has just written."""
        self._set(tap.value, tap.box, tap.read())

    def set(self, value: int, array: Array) -> None:
        """A whole value."""
        self._set(value, (), array)

    def _set(self, value: int, box: tuple[slice, ...], array: Array) -> None:
        self._arrays[value][(..., *box)] = array
        self._missing[value][(..., *box)] = False

    def report(self, listener: ValueListener) -> None:
        """Complete all values at the end of the run and tell them.

        Raises HbirError where elements of one were never written: its debug table is wrong.
        """
        for tensor, array in zip(self._graph.inputs, self._inputs, strict=True):
            listener(tensor.name, array, None)
        for number, value in enumerate(self._graph.values, len(self._inputs)):
            self._complete(number, value)
            if value.name:
                listener(value.name, self._arrays[number], value)

    def _complete(self, number: int, value: Value) -> None:
        if value.view_of is not None:
            self._arrays[number] = self._arrays[value.view_of].reshape(value.shape)
            return
        for shared in value.shared:
            there = box_at(shared.source, shared.shape)
            part = self._arrays[shared.value][(..., *there)]
            self._set(number, box_at(shared.origin, shared.shape), part)
        if self._missing[number].any():
            raise HbirError(
                f"graph {self._graph.name!r}: {int(self._missing[number].sum())} elements of value"
                f" {value.name!r} are never written; its debug table is wrong"
            )


def box_at(origin: Sequence[int], shape: Sequence[int]) -> tuple[slice, ...]:
    """The index of the box of a shape that starts at `origin`, whose further entries are unused."""
    return tuple(slice(low, low + extent) for low, extent in zip(origin, shape, strict=False))
