"""Live-range allocation: tensors that are alive at different times share addresses.

Offsets are given out largest first, so that the holes that are left are where small ranges fit.
The work per range is the ranges that are alive beside it.
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


def allocate(ranges: Sequence[LiveRange], alignment: int, limit: int | None = None) -> Allocation:
    """Offsets, multiples of `alignment`, at which no two ranges alive together overlap.

    The largest ranges are placed first, each as low as those placed before it allow; then, where
    the result is larger than `limit` (default: than what is alive at once), those that live
    longest first. Deterministic.
    """
    sizes = [align(r.size_bytes, alignment) for r in ranges]
    spans = _compressed(ranges)
    by_size = sorted(range(len(ranges)), key=lambda i: (-sizes[i], spans[i][0], i))
    best = _pack(sizes, spans, by_size)
    if best.total_bytes <= (peak_bytes(ranges, alignment) if limit is None else limit):
        return best
    by_life = sorted(by_size, key=lambda i: -(spans[i][1] - spans[i][0] + 1) * sizes[i])
    other = _pack(sizes, spans, by_life)
    return other if other.total_bytes < best.total_bytes else best


def _compressed(ranges: Sequence[LiveRange]) -> list[tuple[int, int]]:
    """First and last steps, counting only steps at which a range begins: two ranges are alive
    together when one begins during the other, so nothing else matters."""
    starts = sorted({r.first for r in ranges})
    return [(bisect_left(starts, r.first), bisect_left(starts, r.last + 1) - 1) for r in ranges]


def _pack(
    sizes: Sequence[int], spans: Sequence[tuple[int, int]], order: Sequence[int]
) -> Allocation:
    """Each range, in `order`, at the lowest offset where those placed before it leave room."""
    placed: list[list[int]] = [[] for _ in range(max((last for _, last in spans), default=-1) + 1)]
    offsets = [0] * len(sizes)
    total = 0
    for number in order:
        size = sizes[number]
        if not size:
            continue
        first, last = spans[number]
        beside = {other for step in placed[first : last + 1] for other in step}
        offset = 0
        for low, high in sorted(
            (offsets[other], offsets[other] + sizes[other]) for other in beside
        ):
            if low - offset >= size:
                break
            offset = max(offset, high)
        offsets[number] = offset
        total = max(total, offset + size)
        for step in placed[first : last + 1]:
            step.append(number)
    return Allocation(tuple(offsets), total)


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
