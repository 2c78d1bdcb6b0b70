"""Live-range allocation: tensors that are alive at different times share addresses.

One sweep over time with a free list sorted by offset: a tensor takes the smallest hole that holds
it (the lowest of equals), a dead one is merged with its neighbours. The work per tensor is a
bisection and a scan of the holes, of which there are few.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class LiveRange:
    """`size_bytes` needed from step `first` to step `last`, both included."""

    size_bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Allocation:
    """Byte offset of each range, and the bytes that hold them all."""

    offsets: tuple[int, ...]
    total_bytes: int


def align(value: int, alignment: int) -> int:
    """`value` rounded up to a multiple of `alignment`."""
    return -(-value // alignment) * alignment


def allocate(ranges: Sequence[LiveRange], alignment: int) -> Allocation:
    """Offsets, multiples of `alignment`, at which no two ranges alive together overlap.

    Deterministic: ranges are placed by first step, then larger first, then in the given order.
    """
    order = sorted(range(len(ranges)), key=lambda i: (ranges[i].first, -ranges[i].size_bytes, i))
    deaths = sorted(range(len(ranges)), key=lambda i: (ranges[i].last, i))
    heap = _Heap()
    offsets = [0] * len(ranges)
    dead = 0
    for number in order:
        while ranges[deaths[dead]].last < ranges[number].first:
            gone = deaths[dead]
            heap.release(offsets[gone], align(ranges[gone].size_bytes, alignment))
            dead += 1
        offsets[number] = heap.take(align(ranges[number].size_bytes, alignment))
    return Allocation(tuple(offsets), heap.top)


class _Heap:
    """Holes below `top`, sorted by offset, never adjacent."""

    def __init__(self) -> None:
        self.top = 0
        self._starts: list[int] = []
        self._sizes: list[int] = []

    def take(self, size: int) -> int:
        """The offset of `size` bytes: the smallest hole that holds them, else above the top."""
        best = -1
        for hole, hole_size in enumerate(self._sizes):
            if hole_size >= size and (best < 0 or hole_size < self._sizes[best]):
                best = hole
        if best >= 0:
            offset = self._starts[best]
            self._starts[best] += size
            self._sizes[best] -= size
            if not self._sizes[best]:
                del self._starts[best], self._sizes[best]
            return offset
        if self._starts and self._starts[-1] + self._sizes[-1] == self.top:
            offset = self._starts.pop()  # the hole under the top grows
            self._sizes.pop()
        else:
            offset = self.top
        self.top = offset + size
        return offset

    def release(self, offset: int, size: int) -> None:
        """Give bytes back, merged with the holes beside them."""
        if size == 0:
            return
        at = bisect_left(self._starts, offset)
        if at < len(self._starts) and offset + size == self._starts[at]:
            size += self._sizes[at]
            del self._starts[at], self._sizes[at]
        if at and self._starts[at - 1] + self._sizes[at - 1] == offset:
            self._sizes[at - 1] += size
            return
        self._starts.insert(at, offset)
        self._sizes.insert(at, size)


def peak_bytes(ranges: Sequence[LiveRange], alignment: int) -> int:
    """The most bytes alive at one step: no allocation can need fewer."""
    changes: dict[int, int] = {}
    for live in ranges:
        size = align(live.size_bytes, alignment)
        changes[live.first] = changes.get(live.first, 0) + size
        changes[live.last + 1] = changes.get(live.last + 1, 0) - size
    level = peak = 0
    for _, change in sorted(changes.items()):
        level += change
        peak = max(peak, level)
    return peak


def overlaps(ranges: Sequence[LiveRange], allocation: Allocation) -> list[tuple[int, int]]:
    """Pairs of ranges that share a step and an address: what a legal allocation has none of.

    One sweep in time; neighbours in address are compared, which finds an overlap if there is one.
    """
    events = sorted(
        [(r.first, 1, i) for i, r in enumerate(ranges) if r.size_bytes]
        + [(r.last + 1, 0, i) for i, r in enumerate(ranges) if r.size_bytes]
    )
    alive: list[tuple[int, int, int]] = []
    found: list[tuple[int, int]] = []
    for _, born, number in events:
        start = allocation.offsets[number]
        entry = (start, start + ranges[number].size_bytes, number)
        at = bisect_left(alive, entry)
        if not born:
            del alive[at]
            continue
        alive.insert(at, entry)
        near = alive[max(0, at - 1) : at + 2]
        found += [(a[2], b[2]) for a, b in pairwise(near) if a[1] > b[0]]
    return found
